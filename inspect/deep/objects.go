package deep

import (
	"maps"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// The rows about files that belong together and are no package.
const (
	ruleModules = "kernel modules"
	ruleBoot    = "boot image"
)

// objectRules are about code that is not linked yet: kernel modules, what linkers take, BPF programs.
func objectRules() []Rule {
	return []Rule{
		{
			Name: ruleModules, State: inspect.Mismatch, covers: (*suspect).modules,
			Covers: "kernel modules (.ko, or what has .modinfo) that are all for one other machine",
			Reason: "the kernels of the platform do not load them",
		},
		{
			Name: "start files", State: inspect.Mismatch, covers: (*suspect).startFile,
			Covers: "crt1.o, crti.o, crtn.o and their kin in the directories of the platform's loader",
			Reason: "every program that is linked in the image begins with them",
		},
		{
			Name: "objects", State: inspect.Note, covers: (*suspect).object,
			Covers: "all other objects that are not linked yet",
			Reason: "nothing starts or loads them as they are",
		},
	}
}

// bootRule is asked before the row of other systems, to which EFI programs belong.
func bootRule() Rule {
	return Rule{
		Name: ruleBoot, State: inspect.Mismatch, covers: (*suspect).bootImage,
		Covers: "objects, firmware and EFI programs of an image that has nothing else, all for one other machine",
		Reason: "such an image is for the machine that boots from it",
	}
}

// machines are those that the code is for which no process starts or loads.
type machines struct {
	modules map[string]bool
	boot    map[string]bool // objects, firmware and EFI programs
	alone   bool            // the image has no other programs
}

// machines are looked for when such code turns up.
func (j *judgement) machines() machines {
	if j.unlinked.modules != nil {
		return j.unlinked
	}
	j.unlinked = machines{modules: map[string]bool{}, boot: map[string]bool{}, alone: true}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil {
			continue
		}
		fact := *e.File.Fact
		switch {
		case isModule(e.Path, fact):
			j.unlinked.modules["linux/"+fact.Arch] = true
			j.unlinked.boot["linux/"+fact.Arch] = true
		case boots(e.Path, fact):
			j.unlinked.boot["linux/"+fact.Arch] = true
		case judgeable(fact) && (!fact.Managed || fact.OS != ""):
			j.unlinked.alone = false
		}
	}
	return j.unlinked
}

func isModule(path string, f binary.Fact) bool {
	return f.Kind == binary.ELFObject && !f.Device && (f.Module || strings.HasSuffix(path, ".ko"))
}

// boots reports whether a file is code that no process starts or loads, for a machine of images.
func boots(path string, f binary.Fact) bool {
	if f.Device || !binary.ForImages(f.Arch) {
		return false
	}
	return f.Kind == binary.ELFObject || f.Kind == binary.PE && f.OS == "efi" || f.Kind.ELF() && isFirmware(path, f)
}

func (s *suspect) object() bool { return s.fact.Kind == binary.ELFObject }

func (s *suspect) modules() bool {
	all := s.machines().modules
	if !isModule(s.path, s.fact) || len(all) != 1 {
		return false
	}
	s.pack, s.only = "kernel modules", slices.Collect(maps.Keys(all))[0]+" only"
	return true
}

// bootImage passes over 32-bit programs in amd64, which some of its boards boot from.
func (s *suspect) bootImage() bool {
	if s.modules() {
		return false // they have a row of their own
	}
	all := s.machines()
	if !boots(s.path, s.fact) || !all.alone || len(all.boot) != 1 || !s.other() ||
		s.fact.Arch == s.platform.Architecture ||
		s.fact.Arch == "386" && s.platform.Architecture == "amd64" || s.wished() {
		return false
	}
	s.pack, s.only = "boot files", slices.Collect(maps.Keys(all.boot))[0]+" only"
	return true
}

func (s *suspect) startFile() bool {
	names := []string{
		"crt1.o", "crti.o", "crtn.o", "Scrt1.o", "gcrt1.o", "grcrt1.o", "rcrt1.o", "Mcrt1.o", "crtbegin.o",
		"crtend.o",
	}
	return s.object() && slices.Contains(names, s.name()) &&
		slices.Contains(s.loaderDirs(), strings.TrimSuffix(s.path, "/"+s.name()))
}
