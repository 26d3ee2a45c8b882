package deep

import (
	"errors"
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// ruleNoLoader is the rule about programs for the platform that can't start.
const ruleNoLoader = "no loader"

func loaderRules() []Rule {
	return []Rule{{
		// never applied to a suspect: reportLoaderless applies it to programs that fit the platform
		Name: ruleNoLoader, State: inspect.Mismatch, covers: func(*suspect) bool { return false },
		Covers: "programs for the platform in the directories of PATH whose loader, or another part of their C library, is not in the image, if the image has another loader of the platform; a warning if it has none",
		Reason: "they were built for another C library, such as a glibc release in an image with musl; an image without any loader may only be meant for copying files from it",
	}}
}

// reportLoaderless reports programs in PATH that can't start, since their loader is not in the image. What the image
// starts has its own findings.
func (j *judgement) reportLoaderless() {
	if !j.judgeAll || j.platform.OS != "linux" {
		return
	}
	s := search{judgement: j, dirs: j.loaderDirs(), resolved: map[string]string{}}
	seen := map[string]bool{}
	for _, dir := range j.pathDirs() {
		in, err := j.tree.Lookup(dir)
		if err != nil || in.Type != rootfs.Directory || seen[in.Path+"/"] {
			continue
		}
		seen[in.Path+"/"] = true
		for e := range j.tree.In(in.Path) {
			found, err := j.tree.Lookup(e.Path)
			if err != nil || seen[found.Path] || found.Type != rootfs.Program || !found.Runnable || found.File.Fact == nil {
				continue
			}
			seen[found.Path] = true
			s.reportMissing(found.Entry)
		}
	}
}

// reportMissing reports a program whose loader or C library is not in the image.
func (s *search) reportMissing(e rootfs.Entry) {
	fact := *e.File.Fact
	if fact.Interp == "" || !fact.Kind.ELF() || s.judgement.essential[e.Path].by != "" || s.mounted(fact.Interp) {
		return
	}
	verdict, _ := binary.Runs(fact, s.platform)
	missing := s.missing(e)
	if missing == "" || !runs(verdict) {
		return
	}
	f := s.fileFinding(e, roleOther)
	if (len(s.abi.loaders) == 0 || verdict == binary.Compatible) && !s.options.Strict {
		f.State = inspect.Warning
	}
	f.Rule, f.Evidence = ruleNoLoader, missing+" is not in the image"
	f.Message = fmt.Sprintf("%s: /%s can't start %s: %s%s", s.name(), e.Path, inLayer(e), f.Evidence,
		s.builtFor("it", fact.Interp))
	s.add(f)
}

// missing returns the loader of a program if it is missing, or a missing library that only the program's own C
// library brings; "" if nothing is missing. musl's loader provides libc.so.6 itself, but has no file for glibc's
// loader, which some libraries need.
func (s *search) missing(e rootfs.Entry) string {
	fact := e.File.Fact
	if _, err := s.tree.Lookup(fact.Interp); errors.Is(err, rootfs.ErrMissing) {
		return "its loader " + fact.Interp
	}
	if fact.Dynamic == nil {
		return ""
	}
	for _, name := range fact.Dynamic.Needed {
		ofOtherLibc := binary.Libc(fact.Interp) == binary.Musl && strings.HasPrefix(name, "ld-linux") ||
			binary.Libc(fact.Interp) == binary.Glibc && strings.HasPrefix(name, "libc.musl-")
		if ofOtherLibc && !s.exists(e, name) {
			return "the library " + name
		}
	}
	return ""
}

// exists reports whether the loader of a program finds a library.
func (s *search) exists(program rootfs.Entry, name string) bool {
	for _, at := range s.candidates(s.ownDirs(program), name) {
		if _, err := s.tree.Lookup(at); !errors.Is(err, rootfs.ErrMissing) {
			return true
		}
	}
	return false
}

// mounted reports whether a path lies in a mount, so that it is not a file of the image.
func (j *judgement) mounted(path string) bool {
	for _, u := range j.useList() {
		for _, at := range u.Mounts {
			if at = strings.TrimSuffix(at, "/"); path == at || strings.HasPrefix(path, at+"/") {
				return true
			}
		}
	}
	return false
}

// builtFor returns, for messages, for which C library a program with this loader is built; "" if the loader's name
// does not tell.
func (j *judgement) builtFor(program, interp string) string {
	libc := binary.Libc(interp)
	if libc == "" {
		return ""
	}
	for _, r := range j.abi.loaders {
		if has := binary.Libc(r.path); has != "" && has != libc {
			return fmt.Sprintf("; %s is built for %s, and the image has %s (/%s)", program, libc, has, r.path)
		}
	}
	return fmt.Sprintf("; %s is built for %s", program, libc)
}
