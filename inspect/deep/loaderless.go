package deep

import (
	"errors"
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// ruleNoLoader is the row about right programs that can't start.
const ruleNoLoader = "no loader"

func loaderRules() []Rule {
	return []Rule{{
		// the others are about files that are not right
		Name: ruleNoLoader, State: inspect.Mismatch, covers: func(*suspect) bool { return false },
		Covers: "programs of the platform that a name in the directories of PATH finds, and whose loader, or a part of their own C library, is not in the image, where the image has another loader of the platform; a warning where it has none",
		Reason: "they were made for another C library, as a release for glibc in an image with musl; without any loader the image may be there to be copied from",
	}}
}

// loaderless reports programs in PATH that can't start since their loader is not in the image. What the image starts
// has findings of its own.
func (j *judgement) loaderless() {
	if !j.all || j.platform.OS != "linux" {
		return
	}
	s := search{judgement: j, dirs: j.loaderDirs(), resolved: map[string]string{}}
	told := map[string]bool{}
	for _, dir := range j.pathDirs() {
		in, err := j.tree.Lookup(dir)
		if err != nil || in.Type != rootfs.Directory || told[in.Path+"/"] {
			continue
		}
		told[in.Path+"/"] = true
		for e := range j.tree.In(in.Path) {
			found, err := j.tree.Lookup(e.Path)
			if err != nil || told[found.Path] || found.Type != rootfs.Program || !found.Runnable || found.File.Fact == nil {
				continue
			}
			told[found.Path] = true
			s.startable(found.Entry)
		}
	}
}

// startable tells what a program wants that is not there.
func (s *search) startable(e rootfs.Entry) {
	fact := *e.File.Fact
	if fact.Interp == "" || !fact.Kind.ELF() || s.judgement.own[e.Path].by != "" || s.mounted(fact.Interp) {
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
	f.Message = fmt.Sprintf("%s: /%s can't start %s: %s%s", s.name(), e.Path, place(e), f.Evidence,
		s.wants("it", fact.Interp))
	s.add(f)
}

// missing is the loader of a program that is not there, or a library that only the other C library brings: musl's
// loader takes itself for libc.so.6, and has no file for glibc's loader, which some libraries name. It is "" where
// nothing is missing.
func (s *search) missing(e rootfs.Entry) string {
	fact := e.File.Fact
	if _, err := s.tree.Lookup(fact.Interp); errors.Is(err, rootfs.ErrMissing) {
		return "its loader " + fact.Interp
	}
	if fact.Dynamic == nil {
		return ""
	}
	for _, name := range fact.Dynamic.Needed {
		others := binary.Libc(fact.Interp) == binary.Musl && strings.HasPrefix(name, "ld-linux") ||
			binary.Libc(fact.Interp) == binary.Glibc && strings.HasPrefix(name, "libc.musl-")
		if others && !s.exists(e, name) {
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

// mounted reports whether a path is no file of the image where it is started.
func (j *judgement) mounted(path string) bool {
	for _, u := range j.subject.all() {
		for _, at := range u.Mounts {
			if at = strings.TrimSuffix(at, "/"); path == at || strings.HasPrefix(path, at+"/") {
				return true
			}
		}
	}
	return false
}

// wants says for which C library a program is built whose loader this is; "" where its name does not tell.
func (j *judgement) wants(program, interp string) string {
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
