package deep

import (
	"maps"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// objectRules are about code that is not linked yet: kernel modules, what linkers take, BPF programs.
func objectRules() []Rule {
	return []Rule{
		{
			Name: "kernel modules", State: inspect.Mismatch, covers: (*suspect).modules,
			Covers: "kernel modules (.ko), or the objects of an image without programs, that are all for one other machine",
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

// machines are those that objects are for.
type machines struct{ modules, all map[string]bool }

// objects are the machines of all objects. They are looked for when one turns up that is not right.
func (j *judgement) objects() machines {
	if j.unlinked.all != nil {
		return j.unlinked
	}
	j.unlinked = machines{map[string]bool{}, map[string]bool{}}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil || e.File.Fact.Kind != binary.ELFObject || e.File.Fact.Device {
			continue
		}
		j.unlinked.all[platformOf(*e.File.Fact)] = true
		if isModule(e.Path) {
			j.unlinked.modules[platformOf(*e.File.Fact)] = true
		}
	}
	return j.unlinked
}

func isModule(path string) bool { return strings.HasSuffix(path, ".ko") }

func (s *suspect) object() bool { return s.fact.Kind == binary.ELFObject }

func (s *suspect) modules() bool {
	if !s.object() {
		return false
	}
	all, what := s.objects().modules, "kernel modules"
	if !isModule(s.path) {
		all, what = s.objects().all, "objects"
	}
	if len(all) != 1 || what == "objects" && s.programs > 0 {
		return false
	}
	s.pack, s.only = "the set of "+what, slices.Collect(maps.Keys(all))[0]
	return true
}

func (s *suspect) startFile() bool {
	names := []string{"crt1.o", "crti.o", "crtn.o", "Scrt1.o", "gcrt1.o", "grcrt1.o", "rcrt1.o", "Mcrt1.o", "crtbegin.o", "crtend.o"}
	return s.object() && slices.Contains(names, s.name()) && slices.Contains(s.loaderDirs(), strings.TrimSuffix(s.path, "/"+s.name()))
}
