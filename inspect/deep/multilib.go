package deep

import (
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// multilibRules are about other ABIs of the platform's processors, whose files come with compilers.
func multilibRules() []Rule {
	return []Rule{{
		Name: "multilib", State: inspect.Note, covers: (*suspect).multilib,
		Covers: "files for another ABI of the platform's processors (x32 in amd64, 31 bits in s390x, n32 and o32 in mips64, 32 bits in ppc64, the other float ABI) whose own loader is in the image or in a directory above them, unless something starts or loads them",
		Reason: "compilers link with them, as gcc-multilib does; not every kernel runs them",
	}}
}

// siblings returns the machines whose code the platform's processors can run too, if the kernel supports it.
func siblings(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"x32"}
	case "s390x":
		return []string{"s390"}
	case "mips64le":
		return []string{"mips64p32le", "mipsle"}
	case "mips64":
		return []string{"mips64p32", "mips"}
	case "ppc64":
		return []string{"ppc"}
	}
	return nil
}

// sibling reports whether the file is for a sibling of the platform's machine.
func (s *suspect) sibling() bool {
	return slices.Contains(siblings(s.platform.Architecture), s.fact.Arch)
}

func (s *suspect) multilib() bool {
	if !s.foreign() || !s.sibling() && !s.misfits() || !s.ownLoader() {
		return false
	}
	why := s.needs()[s.path]
	return why.rule == "" || why.rule == ruleUserland || why.rule == ruleLibrary && why.from == ""
}

// misfits reports whether the file is for the right machine and another ABI.
func (s *suspect) misfits() bool {
	if s.fact.Arch != s.platform.Architecture {
		return false
	}
	found, err := s.tree.Lookup("/" + s.path)
	return err == nil && found.File != nil && s.misfit(found.Entry) != (fault{})
}

// ownLoader reports whether the loader of the file's own ABI is in the image: the one that the file names or, for a
// library, one in the image's root or in a directory above it.
func (s *suspect) ownLoader() bool {
	if s.fact.Interp != "" && !strings.HasPrefix(s.name(), "libc") {
		return s.fitsAt(s.fact.Interp)
	}
	for dir, rest := "", s.path; ; {
		for _, loader := range loaders(s.fact.Arch) {
			if s.fitsAt(dir + "/" + loader) {
				return true
			}
		}
		next, after, more := strings.Cut(rest, "/")
		if !more {
			return false
		}
		dir, rest = dir+"/"+next, after
	}
}

// fitsAt reports whether the file at a path fits into one process with this one.
func (s *suspect) fitsAt(path string) bool {
	found, err := s.tree.Lookup(path)
	if err != nil || found.Type != rootfs.Program || found.File.Fact == nil || found.File.Fact.Arch != s.fact.Arch {
		return false
	}
	fits, _, _ := binary.Fits(*found.File.Fact, s.fact)
	return fits
}
