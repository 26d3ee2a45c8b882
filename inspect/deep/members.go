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

// memberRules are about files for one platform in a package that may have files for others.
func memberRules() []Rule {
	return []Rule{
		{
			Name: "package data", State: inspect.Note, covers: (*suspect).packageData,
			Covers: "files below usr/share/ of a dpkg, apk or RPM package for all machines, installed by the same layer as the package",
			Reason: "the distribution installs them on every platform",
		},
		{
			Name: "misnamed part", State: inspect.Mismatch, covers: (*suspect).misnamed,
			Covers: "a part of a package whose path names this platform (prebuilds/linux-arm64/, as node-gyp-build reads it), and that is for another",
			Reason: "it is the part that the package loads here",
		},
		{
			Name: "other platforms", State: inspect.Note, covers: (*suspect).hasCounterpart,
			Covers: "parts of a package for other platforms, if it also has the part for this platform: the same file in directories or with names that differ only in the words for machines and systems; another of the optionalDependencies of an npm package; another add-on in its prebuilds/ or described by its member binary; a Go plugin with the same import path in the same directory; or other files, if a directory of the package is named after the machine",
			Reason: "the package chooses among its parts when it runs",
		},
		{
			Name: "Go plugin", State: inspect.Mismatch, covers: (*suspect).isPlugin,
			Covers: "Go plugins (-buildmode=plugin) for another machine, if their directory has none with the same import path for this one",
			Reason: "plugin.Open loads it, and fails",
		},
		{
			Name: "one platform", State: inspect.Mismatch, covers: (*suspect).otherPlatformOnly,
			Covers: "packages (npm, pip, gem, NuGet, Terraform, Bazel, Nix, dpkg, apk, RPM, a JDK) with programs for one other platform only, or for several others without naming them in paths; not if paths name them and the package is for any machine",
			Reason: "the package was installed on another machine, and its programs do not start here",
		},
		{
			Name: "part missing", State: inspect.Mismatch, covers: (*suspect).lacksPlatform,
			Covers: "in images for amd64 and arm64: parts of a package for several other platforms, if it has no part for this one, and the parts are for Linux on several kinds of machines, or add-ons for Node.js and Bare (.node, .bare) for several systems, or in a package that is named after its machine",
			Reason: "the package has native code for many platforms, and none that starts here",
		},
		{
			Name: "no part", State: inspect.Warning, covers: (*suspect).severalPlatforms,
			Covers: "parts of a package for several other platforms, if it has no part for this one",
			Reason: "the package may work without native code here, or may never have been tried here",
		},
	}
}

// slot is what an image has of one file of a package, for all platforms.
type slot struct {
	right     bool     // for this platform
	platforms []string // others
}

// onlyFor returns, for messages, which platforms a package is for, and which not: "linux/amd64 only".
func (s *suspect) onlyFor(platforms []string) string {
	const few = 3
	all := slices.Clone(platforms)
	slices.SortFunc(all, func(a, b string) int { // the same system first
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

// maxSlots limits how many slots are remembered. A file in another one is judged without its counterparts.
const maxSlots = 50_000

// slot returns the slot of a file; the zero value if its path names no machine or system.
func (s *suspect) slot() slot {
	if k := s.packages().judgedWith(s.path); k != nil && k.isChoice {
		return slot{right: k.right, platforms: k.others}
	}
	name, ok := s.masks.slot(s.path, s.fact.Arch)
	if !ok {
		return slot{}
	}
	return s.slots()[name]
}

// slots returns the slots of all programs whose paths name a machine or a system. They are computed when the first
// program turns up that does not fit.
func (j *judgement) slots() map[string]slot {
	if j.bySlot != nil {
		return j.bySlot
	}
	j.bySlot = map[string]slot{}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil || !judgeable(*e.File.Fact) {
			continue
		}
		name, ok := j.masks.slot(e.Path, e.File.Fact.Arch)
		slot, known := j.bySlot[name]
		if !ok || !known && len(j.bySlot) >= maxSlots {
			continue
		}
		if verdict, _ := binary.Runs(*e.File.Fact, j.platform); fits(verdict) {
			slot.right = true
		} else if p := platformOf(*e.File.Fact); !slices.Contains(slot.platforms, p) {
			slot.platforms = append(slot.platforms, p)
		}
		j.bySlot[name] = slot
	}
	return j.bySlot
}

// misnamed reports whether the last part of the path that names a machine names this one. A file without a slot is
// not part of a package.
func (s *suspect) misnamed() bool {
	if !s.forOther() || len(s.slot().platforms) == 0 {
		return false
	}
	if chosen, known := s.chosenHere(); known {
		return chosen
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

// otherPlatformOnly reports whether the file is in a package that is there for other platforms only, most likely
// installed by mistake.
func (s *suspect) otherPlatformOnly() bool {
	k := s.packages().judgedWith(s.path)
	if !s.forOther() || k == nil || !hasMachine(s.fact) {
		return false
	}
	slot, others, right := s.slot(), k.others, k.right
	named := len(slot.platforms) > 0
	if k.shared {
		others, right = slot.platforms, slot.right
	}
	chosen := named && (k.neutral || !buildsImages(s.fact))
	if right || chosen || named && len(others) != 1 {
		return false
	}
	s.pkg, s.only = s.packageName(k), s.onlyFor(k.platformNames(s.fact))
	if k.shared {
		s.only = s.onlyFor(slot.platforms)
	}
	return true
}

// hasMachine reports whether a file states its machine, which a broken file or portable code does not.
func hasMachine(f binary.Fact) bool { return f.Arch != "" || len(f.Archs) > 0 }

// packageName returns the name of the package, or of the one that needs it for one of its platforms.
func (s *suspect) packageName(k *pkg) string {
	for _, parent := range s.packages().parents[k] {
		if !parent.hasCounterpart(k) {
			return parent.name
		}
	}
	return k.name
}

// buildsImages reports whether images are commonly built on such machines. A package for one of them was likely
// installed by mistake; one for another machine was chosen on purpose.
func buildsImages(f binary.Fact) bool {
	return slices.Contains([]string{"amd64", "arm64", "386"}, f.Arch)
}

// severalPlatforms reports whether the file is in a slot or package for several other platforms.
func (s *suspect) severalPlatforms() bool {
	slot, k := s.slot(), s.packages().judgedWith(s.path)
	if !s.forOther() || len(slot.platforms) < 2 && (k == nil || k.right && !k.shared || len(slot.platforms) == 0) {
		return false
	}
	if s.only = s.onlyFor(slot.platforms); k != nil {
		s.pkg = s.packageName(k)
	}
	return true
}

// hasCounterpart reports whether the package has a counterpart of the file for this platform: the same file, the same
// package of its family or, if a directory is named after the machine, fitting files in another directory.
func (s *suspect) hasCounterpart() bool {
	if chosen, known := s.chosenHere(); known && !chosen && s.slot().right {
		return true // also for a newer processor
	}
	if !s.forOther() || s.slot().right || s.packages().plugins[pluginKey(s.path, s.fact)] {
		return s.forOther()
	}
	k := s.packages().judgedWith(s.path)
	if k == nil {
		return false
	}
	if parents := s.packages().parents[k]; len(parents) > 0 {
		return !slices.ContainsFunc(parents, func(parent *pkg) bool { return !parent.hasCounterpart(k) })
	}
	inside := strings.Split(strings.TrimPrefix(strings.TrimPrefix(s.path, k.root), "/"), "/")
	return k.right && !k.shared && !s.inLoaderDirs() && slices.ContainsFunc(inside[:len(inside)-1], s.isNamedIn)
}

// packageData reports whether the file is among the data files of a package for any machine.
func (s *suspect) packageData() bool {
	k := s.packages().system[s.path]
	return s.forOther() && k != nil && k.forAny() && strings.HasPrefix(s.path, "usr/share/")
}
