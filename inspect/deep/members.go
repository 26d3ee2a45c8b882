package deep

import (
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
			Name: "misnamed part", State: inspect.Mismatch, covers: (*suspect).misnamed,
			Covers: "a part of a package that names this platform (prebuilds/linux-arm64/), and is for another",
			Reason: "it is what the package takes here",
		},
		{
			Name: "other platforms", State: inspect.Note, covers: func(s *suspect) bool { return s.other() && s.slot().right },
			Covers: "parts of a package for other platforms, where the one for this platform is there and right: the same file in directories or with names that differ in the words for machines and systems only",
			Reason: "packages that choose when they run",
		},
		{
			Name: "one platform", State: inspect.Mismatch, covers: (*suspect).alone,
			Covers: "a package of a package manager (npm, pip, gem, NuGet, Terraform, Bazel, a JDK) that is there for one other platform only",
			Reason: "it was installed on another machine, and does not start here",
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

// only are the platforms that a slot is for.
func (s slot) only() string { return strings.Join(slices.Sorted(slices.Values(s.platforms)), ", ") }

// maxSlots bounds how many places are looked at. A file at another one is judged without its neighbours.
const maxSlots = 50_000

// slot is the place of a file; the zero value where its path names nothing.
func (s *suspect) slot() slot {
	name, ok := s.masks.slot(s.path, s.fact.Arch)
	if !ok {
		return slot{}
	}
	return s.slots()[name]
}

// slots are the places of all programs whose paths name a machine or a system. They are looked for when a program turns up that
// is not right.
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

// misnamed reports whether the last name in the path that names a machine names this one. A file in no package is no part.
func (s *suspect) misnamed() bool {
	if !s.other() || len(s.slot().platforms) == 0 {
		return false
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

// alone reports whether the file is of a package that is for one other platform.
func (s *suspect) alone() bool {
	place := s.slot()
	if !s.other() || len(place.platforms) != 1 || !buildsImages(s.fact) {
		return false
	}
	s.pack, s.only = packageOf(s.path), place.only()
	return s.pack != ""
}

// buildsImages reports whether people build images on machines of that kind, so that a package installed for it is likely one of
// the builder. One for another machine was chosen.
func buildsImages(f binary.Fact) bool {
	return slices.Contains([]string{"amd64", "arm64", "386"}, f.Arch)
}

func (s *suspect) several() bool {
	place := s.slot()
	if !s.other() || len(place.platforms) < 2 && (packageOf(s.path) == "" || len(place.platforms) == 0) {
		return false
	}
	s.pack, s.only = packageOf(s.path), place.only()
	return true
}

// packageOf is what people call the package that a path belongs to, with its package manager; "" where no layout is known.
func packageOf(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range slices.Backward(parts[:len(parts)-1]) {
		rest := parts[i+1 : len(parts)-1]
		name := packageIn(part, rest)
		switch {
		case strings.HasSuffix(part, ".runfiles"):
			name = strings.TrimSuffix(part, ".runfiles") + " (Bazel)"
		case part == "prebuilds" && i > 0:
			name = parts[i-1] + " (npm)"
		case part == "runtimes" && len(rest) == 2 && rest[1] == "native" && i > 0:
			name = parts[i-1] + " (NuGet)"
		}
		if name != "" {
			return name
		}
	}
	if name := parts[len(parts)-1]; strings.HasPrefix(name, "terraform-provider-") {
		return name + " (Terraform)"
	}
	return ""
}

// packageIn names the package in a directory where a package manager installs; rest is the path below it.
func packageIn(directory string, rest []string) string {
	if len(rest) == 0 {
		return ""
	}
	name := rest[0]
	switch directory {
	case "node_modules":
		switch {
		case name == ".bin", name == ".pnpm":
			return ""
		case strings.HasPrefix(name, "@") && len(rest) > 1:
			return name + "/" + rest[1] + " (npm)"
		}
		return name + " (npm)"
	case "site-packages", "dist-packages":
		return name + " (Python)"
	case "gems":
		if strings.Contains(name, "-") {
			return name + " (gem)"
		}
	case "jvm":
		return name + " (JDK)"
	}
	return ""
}
