package deep

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// memberRules are about files that stand for one platform in a package that may have others.
func memberRules() []Rule {
	return []Rule{
		{
			Name: "package data", State: inspect.Note, covers: (*suspect).data,
			Covers: "files below usr/share/ of a package of dpkg, apk or RPM that is for all machines, which its own layer brought",
			Reason: "the distribution has it on every platform",
		},
		{
			Name: "misnamed part", State: inspect.Mismatch, covers: (*suspect).misnamed,
			Covers: "a part of a package that names this platform (prebuilds/linux-arm64/, as node-gyp-build reads it), and is for another",
			Reason: "it is what the package takes here",
		},
		{
			Name: "other platforms", State: inspect.Note, covers: (*suspect).otherPart,
			Covers: "parts of a package for other platforms, where it has right ones for this platform: the same file in directories or with names that differ in the words for machines and systems only; another of the optionalDependencies of an npm package; another add-on in its prebuilds/ or by its member binary; a Go plugin of the same import path in its directory; or other files, where a directory of the package is called after the machine",
			Reason: "packages that choose when they run",
		},
		{
			Name: "Go plugin", State: inspect.Mismatch, covers: (*suspect).plugin,
			Covers: "plugins that Go built (-buildmode=plugin) for another machine, where their directory has none of the same import path for this one",
			Reason: "plugin.Open loads it, and fails",
		},
		{
			Name: "one platform", State: inspect.Mismatch, covers: (*suspect).alone,
			Covers: "packages (npm, pip, gem, NuGet, Terraform, Bazel, Nix, dpkg, apk, RPM, a JDK) that have programs for one other platform only, or for others without saying so by names; not where names do, and the package is for any machine",
			Reason: "it was installed on another machine, and does not start here",
		},
		{
			Name: "part missing", State: inspect.Mismatch, covers: (*suspect).lacks,
			Covers: "in amd64 and arm64: parts of a package for several other platforms, where nothing in it is for this one, if they are for Linux on several kinds of machines, add-ons for Node.js and Bare (.node, .bare) for several systems, or in a package that is named by its machine",
			Reason: "the package has native code for many, and none that starts here",
		},
		{
			Name: "no part", State: inspect.Warning, covers: (*suspect).several,
			Covers: "parts of a package for several other platforms, where none is for this one",
			Reason: "the package is for all who have it, and does without here; or nobody looked",
		},
	}
}

// slot is what an image has at one place of a package, for all platforms.
type slot struct {
	right     bool     // for this platform
	platforms []string // others
}

// only says which platforms those are that a package is for, and which not: "linux/amd64 only".
func (s *suspect) onlyFor(platforms []string) string {
	const few = 3
	all := slices.Clone(platforms)
	slices.SortFunc(all, func(a, b string) int { // those of the same system first
		return cmp.Or(cmp.Compare(s.otherThan(a), s.otherThan(b)), strings.Compare(a, b))
	})
	if len(all) <= few+1 {
		return strings.Join(all, ", ") + " only"
	}
	return fmt.Sprintf("%s and %d more, not for %s", strings.Join(all[:few], ", "), len(all)-few, s.judgement.name())
}

func (s *suspect) otherThan(platform string) int {
	if strings.HasPrefix(platform, s.platform.OS+"/") {
		return 0
	}
	return 1
}

// maxSlots bounds how many places are looked at. A file at another one is judged without its neighbours.
const maxSlots = 50_000

// slot is the place of a file; the zero value where its path names nothing.
func (s *suspect) slot() slot {
	if k := s.packages().of(s.path); k != nil && k.isChoice {
		return slot{right: k.right, platforms: k.others}
	}
	name, ok := s.masks.slot(s.path, s.fact.Arch)
	if !ok {
		return slot{}
	}
	return s.slots()[name]
}

// slots are the places of all programs whose paths name a machine or a system. They are looked for when a program turns
// up that is not right.
func (j *judgement) slots() map[string]slot {
	if j.places != nil {
		return j.places
	}
	j.places = map[string]slot{}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil || !judgeable(*e.File.Fact) {
			continue
		}
		name, ok := j.masks.slot(e.Path, e.File.Fact.Arch)
		place, known := j.places[name]
		if !ok || !known && len(j.places) >= maxSlots {
			continue
		}
		if verdict, _ := binary.Runs(*e.File.Fact, j.platform); fits(verdict) {
			place.right = true
		} else if p := platformOf(*e.File.Fact); !slices.Contains(place.platforms, p) {
			place.platforms = append(place.platforms, p)
		}
		j.places[name] = place
	}
	return j.places
}

// misnamed reports whether the last name in the path that names a machine names this one. A file in no package is no
// part.
func (s *suspect) misnamed() bool {
	if !s.other() || len(s.slot().platforms) == 0 {
		return false
	}
	if misplaced, known := s.misplaced(); known {
		return misplaced
	}
	parts := strings.Split(s.path, "/")
	for _, part := range slices.Backward(parts) {
		if binary.Names(part, s.fact.Arch) {
			return false
		}
		if binary.Names(part, s.platform.Architecture) {
			return s.foreign() || !namesSystem(part, s.fact)
		}
	}
	return false
}

// alone reports whether the file is of a package that is there for other platforms only, and that somebody installed
// for them by mistake.
func (s *suspect) alone() bool {
	k := s.packages().of(s.path)
	if !s.other() || k == nil || !saysMachine(s.fact) {
		return false
	}
	place, others, right := s.slot(), k.others, k.right
	named := len(place.platforms) > 0
	if k.shared {
		others, right = place.platforms, place.right
	}
	chosen := named && (k.neutral || !buildsImages(s.fact))
	if right || chosen || named && len(others) != 1 {
		return false
	}
	s.pack, s.only = s.called(k), s.onlyFor(k.spelled(s.fact))
	if k.shared {
		s.only = s.onlyFor(place.platforms)
	}
	return true
}

// saysMachine reports whether a file is for a machine at all, and not broken.
func saysMachine(f binary.Fact) bool { return f.Arch != "" || len(f.Archs) > 0 }

// called is the name of the package, or of the one that has it for one of its platforms.
func (s *suspect) called(k *pack) string {
	for _, parent := range s.packages().parents[k] {
		if !parent.has(k) {
			return parent.name
		}
	}
	return k.name
}

// buildsImages reports whether people build images on machines of that kind, so that a package installed for it is
// likely one of the builder. One for another machine was chosen.
func buildsImages(f binary.Fact) bool {
	return slices.Contains([]string{"amd64", "arm64", "386"}, f.Arch)
}

func (s *suspect) several() bool {
	place, k := s.slot(), s.packages().of(s.path)
	if !s.other() || len(place.platforms) < 2 && (k == nil || k.right && !k.shared || len(place.platforms) == 0) {
		return false
	}
	if s.only = s.onlyFor(place.platforms); k != nil {
		s.pack = s.called(k)
	}
	return true
}

// otherPart reports whether the package has for this platform what the file is for another: the same file, the same
// package of its family or, where a directory is called after the machine, right files in another directory.
func (s *suspect) otherPart() bool {
	if passed, known := s.misplaced(); known && !passed && s.slot().right {
		return true // also of a newer processor
	}
	if !s.other() || s.slot().right || s.packages().plugins[pluginKey(s.path, s.fact)] {
		return s.other()
	}
	k := s.packages().of(s.path)
	if k == nil {
		return false
	}
	if parents := s.packages().parents[k]; len(parents) > 0 {
		return !slices.ContainsFunc(parents, func(parent *pack) bool { return !parent.has(k) })
	}
	inside := strings.Split(strings.TrimPrefix(strings.TrimPrefix(s.path, k.root), "/"), "/")
	return k.right && !k.shared && !s.served() && slices.ContainsFunc(inside[:len(inside)-1], s.named)
}

// data reports whether the file lies among the data of a package for any machine.
func (s *suspect) data() bool {
	k := s.packages().system[s.path]
	return s.other() && k != nil && k.forAny() && strings.HasPrefix(s.path, "usr/share/")
}
