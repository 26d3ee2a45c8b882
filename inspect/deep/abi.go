package deep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// abi is by what it is told whether files of the right machine fit each other.
type abi struct {
	loaders []reference // of the platform's machine, at their usual paths or below a directory
	started []reference // what the image starts, in its order
	asked   bool        // a file states what Options.ABI asks for
}

// reference is a program with which others are compared.
type reference struct {
	role string
	path string
	fact binary.Fact
}

// newABI looks for the loaders of the platform's machine, and for what the image starts of it.
func (j *judgement) newABI() (a abi) {
	for _, s := range j.steps {
		if r, ok := j.reference(s.Found, string(s.Role)); ok && s.Err == nil && !s.Guess {
			a.started = append(a.started, r)
		}
	}
	if !j.all {
		return a
	}
	for _, path := range loaders(j.platform.Architecture) {
		if found, err := j.tree.Lookup(path); err == nil {
			if r, ok := j.reference(found, string(rootfs.Loader)); ok {
				a.loaders = append(a.loaders, r)
			}
		}
	}
	return a
}

func (j *judgement) reference(found rootfs.Found, role string) (reference, bool) {
	if found.Type != rootfs.Program || found.File.Fact == nil || found.File.Fact.Arch != j.platform.Architecture {
		return reference{}, false
	}
	return reference{role: role, path: found.Path, fact: *found.File.Fact}, true
}

// fault is what is wrong with a file of the platform's machine, in two parts of a sentence; the zero value is nothing.
type fault struct {
	is string // "is built for soft float"
	so string // what comes of it: "it can't be loaded, since the loader /lib/ld-linux-armhf.so.3 is built for hard float"
}

// verdictOn is what a file means for the platform: its machine, and then how it fits what it is loaded with, what the
// caller asks for, and the pages of the hosts.
func (j *judgement) verdictOn(e rootfs.Entry) (binary.Verdict, fault) {
	fact := *e.File.Fact
	verdict, _ := binary.Runs(fact, j.platform)
	if fits(verdict) && fact.Kind.ELF() {
		for _, why := range []fault{j.misfit(e), j.notAsked(fact), j.pages(fact)} {
			if why != (fault{}) {
				return binary.Wrong, why
			}
		}
	}
	if needs, promised := binary.Processors(fact, j.platform); fact.Arch == j.platform.Architecture &&
		verdict != binary.Right && needs != "" {
		return verdict, fault{
			"needs " + needs,
			"illegal instruction on older processors, and " + j.name() + " promises " + promised + " only",
		}
	}
	return verdict, fault{}
}

// misfit is why a file can't be loaded with what it is loaded with, if that is known. A program is compared with its
// loader, a library with all loaders and, where there is none, with what the image starts.
func (j *judgement) misfit(e rootfs.Entry) fault {
	fact := *e.File.Fact
	if fact.Convention() == "" && fact.World == "" {
		return fault{}
	}
	if why := j.otherWorld(e); why != (fault{}) {
		return why
	}
	if loader, err := j.tree.Lookup(fact.Interp); fact.Interp != "" && err == nil {
		if r, ok := j.reference(loader, string(rootfs.Loader)); ok {
			return misfitWith(fact, "it does not start", []reference{r})
		}
		return fault{}
	}
	if !isLoaded(e) {
		return fault{}
	}
	if len(j.abi.loaders) > 0 {
		return misfitWith(fact, notLoaded, j.abi.loaders)
	}
	return misfitWith(fact, notLoaded, j.abi.started)
}

// otherWorld: a kernel of one world of LoongArch starts no programs of the other, whatever loaders there are.
func (j *judgement) otherWorld(e rootfs.Entry) fault {
	first := slices.IndexFunc(j.abi.started,
		func(r reference) bool { return r.fact.World != "" && r.role != string(rootfs.Loader) })
	started := func(r reference) bool { return r.path == e.Path && r.role != string(rootfs.Loader) }
	if first < 0 || !slices.ContainsFunc(j.abi.started, started) {
		return fault{}
	}
	if r := j.abi.started[first]; e.File.Fact.World != "" && r.fact.World != e.File.Fact.World {
		is := "is built for " + binary.Spoken(string(e.File.Fact.World))
		return fault{
			is,
			fmt.Sprintf("no kernel starts both it and %s /%s, which is built for %s", article(r.role), r.path,
				binary.Spoken(string(r.fact.World))),
		}
	}
	return fault{}
}

// notLoaded is what comes of a library that does not fit.
const notLoaded = "it can't be loaded"

// misfitWith is why a file fits none of several programs.
func misfitWith(fact binary.Fact, so string, all []reference) (why fault) {
	for _, r := range all {
		fits, other, is := binary.Fits(r.fact, fact)
		if fits {
			return fault{}
		}
		if why == (fault{}) {
			why = fault{
				"is built for " + is,
				fmt.Sprintf("%s, since %s /%s is built for %s", so, article(r.role), r.path, other),
			}
		}
	}
	return why
}

// mixed looks for the libraries of programs where there are loaders of several ABIs: a library that fits one of them
// may be needed by a program of the other.
func (j *judgement) mixed() {
	for _, r := range j.abi.loaders {
		if fits, _, _ := binary.Fits(j.abi.loaders[0].fact, r.fact); !fits {
			j.needs()
			return
		}
	}
}

// otherABI reports a library that can't be loaded by the program that needs it. What is wrong with it by itself, or
// with a library that needs it, has a finding of its own.
func (s *search) otherABI(program, library rootfs.Entry) {
	isProgram := program.File.Fact.Interp != "" || program.File.Fact.Kind == binary.ELFExecutable
	if wrong, _ := s.verdictOn(library); !isProgram || s.unfit[library.Path] || !fits(wrong) {
		return
	}
	s.unfit[library.Path] = true
	_, is, other := binary.Fits(*program.File.Fact, *library.File.Fact)
	f := s.fileFinding(library, roleShared)
	f.Rule, f.Evidence = ruleLibrary, other
	f.Message = fmt.Sprintf("%s: /%s is built for %s %s: it can't be loaded by /%s, which needs it and is built for %s",
		s.name(), library.Path, other, place(library), program.Path, is)
	s.add(f)
}

// isLoaded reports whether a file is a library, and no program that needs no loader.
func isLoaded(e rootfs.Entry) bool {
	fact, name := e.File.Fact, e.Path[strings.LastIndexByte(e.Path, '/')+1:]
	if fact.Kind != binary.ELFShared {
		return false
	}
	return !e.Runnable || fact.Dynamic != nil || strings.Contains(name, ".so") || strings.HasSuffix(name, ".node")
}

// notAsked is why a file is not of the ABI that the caller asks for; one that does not say is none.
func (j *judgement) notAsked(fact binary.Fact) fault {
	want := j.options.ABI[j.platform.Architecture]
	if want == "" {
		return fault{}
	}
	has := fact.ABIOf(want)
	j.abi.asked = j.abi.asked || has != ""
	if has == want || has == "" {
		return fault{}
	}
	return fault{"is built for " + binary.Spoken(has), binary.Spoken(want) + " is asked for"}
}

// unstated reports whether nothing in the image states what is asked for.
func (j *judgement) unstated() bool {
	return j.options.ABI[j.platform.Architecture] != "" && !j.abi.asked
}

// unasked reports an ABI that was asked for and is not stated.
func (j *judgement) unasked() {
	if !j.unstated() {
		return
	}
	f := j.finding(inspect.Unchecked)
	f.Evidence = "no program states its ABI"
	f.Message = fmt.Sprintf("%s: nothing in the image shows that it is built for %s, as required", j.name(),
		binary.Spoken(j.options.ABI[j.platform.Architecture]))
	j.add(f)
}

// pages is why a file can't be loaded on hosts with large pages.
func (j *judgement) pages(fact binary.Fact) fault {
	if fact.Page == 0 || fact.Page >= j.options.PageSize {
		return fault{}
	}
	const kib = 1 << 10
	return fault{
		fmt.Sprintf("is aligned for pages of %d KiB", fact.Page/kib),
		fmt.Sprintf("it can't be loaded on hosts with pages of %d KiB", j.options.PageSize/kib),
	}
}

// convention is how the programs of the image pass arguments, and their world, as the first says that the image starts,
// or else its loader.
func (j *judgement) convention() (words string, world binary.World) {
	for _, r := range slices.Concat(j.abi.started, j.abi.loaders) {
		if words = r.fact.Convention(); words != "" {
			return words, r.fact.World
		}
	}
	return "", ""
}

// wanted says for which C library a program is built whose loader is not in the image; "" where its name does not tell.
func (j *judgement) wanted(s rootfs.Step) string {
	if s.Role != rootfs.Loader || !errors.Is(s.Err, rootfs.ErrMissing) {
		return ""
	}
	return j.wants(by(s.By), s.Asked)
}
