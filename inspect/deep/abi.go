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

// abi holds the programs by which files of the right machine are compared with each other.
type abi struct {
	loaders []reference // of the platform's machine, at their usual paths or below a directory
	started []reference // what the image starts, in its order
	stated  bool        // a file states the ABI that Options.ABI requires
}

// reference is a program with which other files are compared.
type reference struct {
	role string
	path string
	fact binary.Fact
}

// newABI finds the loaders of the platform's machine, and the programs for it that the image starts.
func (j *judgement) newABI() (a abi) {
	for _, s := range j.steps {
		if r, ok := j.reference(s.Found, string(s.Role)); ok && s.Err == nil && !s.Guess {
			a.started = append(a.started, r)
		}
	}
	if !j.judgeAll {
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

// fault describes what is wrong with a file of the platform's machine, in two parts of a sentence. Its zero value
// means that nothing is wrong.
type fault struct {
	what        string // "is built for soft float"
	consequence string // "it can't be loaded, since the loader /lib/ld-linux-armhf.so.3 is built for hard float"
}

// verdictOn judges a file: its machine first, then whether it fits its loader, the ABI that the caller requires, and
// the page size of the hosts.
func (j *judgement) verdictOn(e rootfs.Entry) (binary.Verdict, fault) {
	fact := *e.File.Fact
	verdict, _ := binary.Runs(fact, j.platform)
	if fits(verdict) && fact.Kind.ELF() {
		for _, why := range []fault{j.misfit(e), j.wrongABI(fact), j.wrongPageSize(fact)} {
			if why != (fault{}) {
				return binary.Wrong, why
			}
		}
	}
	needs, promised := binary.Processors(fact, j.platform)
	if fact.Arch == j.platform.Architecture && verdict != binary.Right && needs != "" {
		return verdict, fault{
			"needs " + needs,
			"illegal instruction on older processors, and " + j.name() + " promises " + promised + " only",
		}
	}
	return verdict, fault{}
}

// misfit returns why a file can't be loaded into one process with the others, if that is known. A program is compared
// with its loader; a library with all loaders or, without any, with what the image starts.
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

// otherWorld returns a fault if the image starts programs of both LoongArch worlds: a kernel of one world can't start
// programs of the other, whatever loaders there are.
func (j *judgement) otherWorld(e rootfs.Entry) fault {
	isProgram := func(r reference) bool { return r.role != string(rootfs.Loader) }
	first := slices.IndexFunc(j.abi.started, func(r reference) bool { return r.fact.World != "" && isProgram(r) })
	started := func(r reference) bool { return r.path == e.Path && isProgram(r) }
	if first < 0 || !slices.ContainsFunc(j.abi.started, started) {
		return fault{}
	}
	if r := j.abi.started[first]; e.File.Fact.World != "" && r.fact.World != e.File.Fact.World {
		return fault{
			"is built for " + binary.DescribeABI(string(e.File.Fact.World)),
			fmt.Sprintf("no kernel starts both it and %s /%s, which is built for %s",
				article(r.role), r.path, binary.DescribeABI(string(r.fact.World))),
		}
	}
	return fault{}
}

// notLoaded is the consequence for a library that does not fit.
const notLoaded = "it can't be loaded"

// misfitWith returns why a file fits none of several programs.
func misfitWith(fact binary.Fact, consequence string, references []reference) (why fault) {
	for _, r := range references {
		fits, other, is := binary.Fits(r.fact, fact)
		if fits {
			return fault{}
		}
		if why == (fault{}) {
			why = fault{
				"is built for " + is,
				fmt.Sprintf("%s, since %s /%s is built for %s", consequence, article(r.role), r.path, other),
			}
		}
	}
	return why
}

// reportMixedABIs checks which libraries programs load if the image has loaders of several ABIs: a library that fits
// one of them may be needed by a program of another.
func (j *judgement) reportMixedABIs() {
	for _, r := range j.abi.loaders {
		if fits, _, _ := binary.Fits(j.abi.loaders[0].fact, r.fact); !fits {
			j.needs()
			return
		}
	}
}

// reportOtherABI reports a library that can't be loaded by the program that needs it. A library that is wrong by
// itself, or that is needed by another library, has its own finding.
func (s *search) reportOtherABI(program, library rootfs.Entry) {
	isProgram := program.File.Fact.Interp != "" || program.File.Fact.Kind == binary.ELFExecutable
	if wrong, _ := s.verdictOn(library); !isProgram || s.unfit[library.Path] || !fits(wrong) {
		return
	}
	s.unfit[library.Path] = true
	_, is, other := binary.Fits(*program.File.Fact, *library.File.Fact)
	f := s.fileFinding(library, roleShared)
	f.Rule, f.Evidence = ruleLibrary, other
	f.Message = fmt.Sprintf("%s: /%s is built for %s %s: it can't be loaded by /%s, which needs it and is built for %s",
		s.name(), library.Path, other, inLayer(library), program.Path, is)
	s.add(f)
}

// isLoaded reports whether a file is a library. A static position-independent program is not.
func isLoaded(e rootfs.Entry) bool {
	fact, name := e.File.Fact, e.Path[strings.LastIndexByte(e.Path, '/')+1:]
	if fact.Kind != binary.ELFShared {
		return false
	}
	return !e.Runnable || fact.Dynamic != nil || strings.Contains(name, ".so") || strings.HasSuffix(name, ".node")
}

// wrongABI returns a fault if a file states another ABI than the caller requires.
func (j *judgement) wrongABI(fact binary.Fact) fault {
	required := j.options.ABI[j.platform.Architecture]
	if required == "" {
		return fault{}
	}
	stated := fact.ABIOf(required)
	j.abi.stated = j.abi.stated || stated != ""
	if stated == required || stated == "" {
		return fault{}
	}
	return fault{"is built for " + binary.DescribeABI(stated), binary.DescribeABI(required) + " is required"}
}

// abiUnstated reports whether an ABI is required and no file in the image states one.
func (j *judgement) abiUnstated() bool {
	return j.options.ABI[j.platform.Architecture] != "" && !j.abi.stated
}

// reportUnstatedABI reports a required ABI that no file states.
func (j *judgement) reportUnstatedABI() {
	if !j.abiUnstated() {
		return
	}
	f := j.finding(inspect.Unchecked)
	f.Evidence = "no program states its ABI"
	f.Message = fmt.Sprintf("%s: nothing in the image shows that it is built for %s, as required", j.name(),
		binary.DescribeABI(j.options.ABI[j.platform.Architecture]))
	j.add(f)
}

// wrongPageSize returns a fault if a file can't be loaded on hosts with large pages.
func (j *judgement) wrongPageSize(fact binary.Fact) fault {
	if fact.Page == 0 || fact.Page >= j.options.PageSize {
		return fault{}
	}
	const kib = 1 << 10
	return fault{
		fmt.Sprintf("is aligned for pages of %d KiB", fact.Page/kib),
		fmt.Sprintf("it can't be loaded on hosts with pages of %d KiB", j.options.PageSize/kib),
	}
}

// convention returns the calling convention of the image's programs and their LoongArch world, as stated by the first
// program that the image starts, or else by a loader.
func (j *judgement) convention() (words string, world binary.World) {
	for _, r := range slices.Concat(j.abi.started, j.abi.loaders) {
		if words = r.fact.Convention(); words != "" {
			return words, r.fact.World
		}
	}
	return "", ""
}

// missingLibc returns, for messages, for which C library a program is built whose loader is not in the image; "" if
// the loader's name does not tell.
func (j *judgement) missingLibc(s rootfs.Step) string {
	if s.Role != rootfs.Loader || !errors.Is(s.Err, rootfs.ErrMissing) {
		return ""
	}
	return j.builtFor(requester(s.By), s.Name)
}
