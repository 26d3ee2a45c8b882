package deep

import (
	"maps"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// Names of rules about files that belong together without being a package.
const (
	ruleModules = "kernel modules"
	ruleBoot    = "boot image"
)

// objectRules are about unlinked code: kernel modules, objects for linkers, BPF programs.
func objectRules() []Rule {
	return []Rule{
		{
			Name: ruleModules, State: inspect.Mismatch, covers: (*suspect).oneMachineModules,
			Covers: "kernel modules (.ko, or objects with .modinfo) that are all for one other machine",
			Reason: "the kernels of the platform do not load them",
		},
		{
			Name: "start files", State: inspect.Mismatch, covers: (*suspect).startFile,
			Covers: "crt1.o, crti.o, crtn.o and similar files in the directories of the platform's loader",
			Reason: "every program that is linked in the image starts with them",
		},
		{
			Name: "objects", State: inspect.Note, covers: (*suspect).isObject,
			Covers: "all other unlinked objects",
			Reason: "nothing starts or loads them as they are",
		},
	}
}

// bootRule comes before the rule about other systems, which covers EFI programs too.
func bootRule() Rule {
	return Rule{
		Name: ruleBoot, State: inspect.Mismatch, covers: (*suspect).bootImage,
		Covers: "objects, firmware and EFI programs of an image without other programs, all for one other machine",
		Reason: "such an image must fit the machine that boots from it",
	}
}

// machines are the machines of code that no process starts or loads.
type machines struct {
	modules    map[string]bool
	boot       map[string]bool // objects, firmware and EFI programs
	noPrograms bool            // the image has no other programs
}

// machines returns the machines of such code. They are computed when the first such file turns up.
func (j *judgement) machines() machines {
	if j.unlinked.modules != nil {
		return j.unlinked
	}
	j.unlinked = machines{modules: map[string]bool{}, boot: map[string]bool{}, noPrograms: true}
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
			j.unlinked.noPrograms = false
		}
	}
	return j.unlinked
}

func isModule(path string, f binary.Fact) bool {
	return f.Kind == binary.ELFObject && !f.Device && (f.Module || strings.HasSuffix(path, ".ko"))
}

// boots reports whether a file is code that no process starts or loads, for a machine that images exist for.
func boots(path string, f binary.Fact) bool {
	if f.Device || !binary.ForImages(f.Arch) {
		return false
	}
	return f.Kind == binary.ELFObject || f.Kind == binary.PE && f.OS == "efi" || f.Kind.ELF() && isFirmware(path, f)
}

func (s *suspect) isObject() bool { return s.fact.Kind == binary.ELFObject }

func (s *suspect) oneMachineModules() bool {
	all := s.machines().modules
	if !isModule(s.path, s.fact) || len(all) != 1 {
		return false
	}
	s.pkg, s.only = "kernel modules", slices.Collect(maps.Keys(all))[0]+" only"
	return true
}

// bootImage reports whether the file belongs to an image that boots another machine. It skips 32-bit programs in
// amd64, from which some boards boot.
func (s *suspect) bootImage() bool {
	if s.oneMachineModules() {
		return false // they have their own rule
	}
	all := s.machines()
	if !boots(s.path, s.fact) || !all.noPrograms || len(all.boot) != 1 || !s.forOther() || s.coveredByLabel() {
		return false
	}
	if s.fact.Arch == s.platform.Architecture || s.fact.Arch == "386" && s.platform.Architecture == "amd64" {
		return false
	}
	s.pkg, s.only = "boot files", slices.Collect(maps.Keys(all.boot))[0]+" only"
	return true
}

func (s *suspect) startFile() bool {
	names := []string{
		"crt1.o", "crti.o", "crtn.o", "Scrt1.o", "gcrt1.o", "grcrt1.o", "rcrt1.o", "Mcrt1.o", "crtbegin.o", "crtend.o",
	}
	return s.isObject() && slices.Contains(names, s.name()) &&
		slices.Contains(s.loaderDirs(), strings.TrimSuffix(s.path, "/"+s.name()))
}
