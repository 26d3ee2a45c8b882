package deep

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// The bounds of what is looked for: no image that works comes near.
const (
	maxSearched = 256     // directories in which a library is looked for
	maxLookups  = 1 << 20 // in one image
)

// libraries adds what the loader finds for right programs, and what links in its directories lead to.
func (j *judgement) libraries() {
	s := search{
		judgement: j, dirs: j.loaderDirs(), known: map[string]bool{}, resolved: map[string]string{},
		unfit: map[string]bool{},
	}
	for _, dir := range s.dirs {
		j.libraryLinks(dir, ruleLibrary, "/"+dir, false)
	}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil || e.File.Fact.Dynamic == nil {
			continue
		}
		if verdict, _ := binary.Runs(*e.File.Fact, j.platform); !fits(verdict) {
			continue
		}
		for _, name := range e.File.Fact.Dynamic.Needed {
			s.find(e, name)
		}
	}
	if s.lookups > maxLookups {
		f := j.finding(inspect.Unchecked)
		f.Evidence = "too many libraries"
		f.Message = fmt.Sprintf("%s: what programs load was not looked for to the end: more than %d places", j.name(),
			maxLookups)
		j.add(f)
	}
}

// fits reports whether a program is for the platform's own machine.
func fits(v binary.Verdict) bool {
	return v == binary.Right || v == binary.Unstated || v == binary.Newer
}

// libraryLinks adds the libraries to which links of a directory lead and, if all is set, those that lie there.
func (j *judgement) libraryLinks(dir, rule, by string, all bool) {
	in, err := j.tree.Lookup(dir)
	if err != nil {
		return
	}
	for e := range j.tree.In(in.Path) {
		if !isLibrary(base(e.Path)) || e.Type != rootfs.Symlink && !all {
			continue
		}
		found, err := j.tree.Lookup(e.Path)
		if err == nil && found.Type == rootfs.Program && j.doubtful(found.File) &&
			!namesForeign(base(e.Path), *found.File.Fact) {
			j.needed.add(found.Path, need{rule: rule, role: roleShared, by: by, as: "/" + e.Path})
		}
	}
}

func isLibrary(name string) bool {
	return strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.")
}

// search looks for libraries as ld.so does. https://man7.org/linux/man-pages/man8/ld.so.8.html
type search struct {
	*judgement

	dirs  []string        // in which every program's libraries are looked for
	known map[string]bool // names that were looked for there
	// resolved are directories without their links; "" are those that are not there.
	resolved map[string]string
	unfit    map[string]bool // libraries that do not fit a program that needs them
	lookups  int
}

// find looks for a library that a program needs. glibc passes over those of another machine or ABI.
func (s *search) find(program rootfs.Entry, name string) {
	own := s.ownDirs(program)
	key := name + " " + program.File.Fact.Convention()
	if len(own) == 0 && s.known[key] {
		return
	}
	s.known[key] = s.known[key] || len(own) == 0
	var first *rootfs.Found
	for _, at := range s.candidates(own, name) {
		if s.lookups++; s.lookups > maxLookups {
			return
		}
		found, err := s.tree.Lookup(at)
		if err != nil || found.Type != rootfs.Program || !judgeable(*found.File.Fact) {
			continue
		}
		verdict, _ := binary.Runs(*found.File.Fact, s.platform)
		if one, _, _ := binary.Fits(*program.File.Fact, *found.File.Fact); one && fits(verdict) {
			return
		}
		if first == nil {
			first = &found
		}
	}
	if first == nil {
		return
	}
	if verdict, _ := binary.Runs(*first.File.Fact, s.platform); fits(verdict) {
		s.otherABI(program, first.Entry)
		return
	}
	s.needed.add(first.Path,
		need{rule: ruleLibrary, role: roleShared, by: "/" + program.Path, as: name, from: program.Path})
}

// candidates are the paths at which a name is looked for.
func (s *search) candidates(own []string, name string) (all []string) {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	for _, dir := range slices.Concat(own, s.dirs) {
		if dir = s.resolve(dir); dir != "" && len(all) < maxSearched {
			all = append(all, dir+"/"+name)
		}
	}
	return all
}

// resolve is a directory without links; "" is none. The root is "/".
func (s *search) resolve(dir string) string {
	if at, ok := s.resolved[dir]; ok {
		return at
	}
	at := ""
	if found, err := s.tree.Lookup(dir); err == nil && found.Type == rootfs.Directory {
		at = "/" + found.Path
	}
	if s.lookups++; len(s.resolved) < maxSearched*maxSearched {
		s.resolved[dir] = at
	}
	return at
}

// ownDirs are the directories that a program names itself: RPATH counts only without RUNPATH.
func (s *search) ownDirs(program rootfs.Entry) []string {
	d := program.File.Fact.Dynamic
	return s.listed(program, cmp.Or(d.RunPath, d.RPath))
}

// listed are the directories of a list in a program. $LIB is lib, or what a distribution has in its place.
func (s *search) listed(program rootfs.Entry, list string) (dirs []string) {
	if list == "" {
		return nil
	}
	origin := "/" + path.Dir(program.Path)
	for dir := range strings.SplitSeq(list, ":") {
		dir = strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin).Replace(dir)
		libs := []string{"lib"}
		if strings.Contains(dir, "LIB") {
			libs = append([]string{"lib", "lib64"}, prefixed("lib/", triplets(s.platform.Architecture))...)
		}
		for _, lib := range libs {
			dir := strings.NewReplacer("${LIB}", lib, "$LIB", lib).Replace(dir)
			if strings.HasPrefix(dir, "/") && !slices.Contains(dirs, dir) && len(dirs) < maxSearched {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

func prefixed(prefix string, all []string) (some []string) {
	for _, s := range all {
		some = append(some, prefix+s)
	}
	return some
}

// loaderDirs are the directories in which the loaders of the platform look for the libraries of every program: those of
// ld.so.conf, of musl's file, and the usual ones. Those of another machine, which its own loader has there too, are
// left out.
func (j *judgement) loaderDirs() []string {
	if j.libs != nil {
		return j.libs
	}
	for _, dir := range slices.Concat(j.configured(), libraryDirs(j.platform.Architecture),
		[]string{"usr/local/lib", "usr/local/lib64"}) {
		dir = strings.Trim(path.Clean("/"+dir), "/")
		foreign := isTarget(base(dir)) && binary.Foreign(base(dir), j.platform.Architecture) != ""
		if !foreign && !slices.Contains(j.libs, dir) && len(j.libs) < maxSearched {
			j.libs = append(j.libs, dir)
		}
	}
	return j.libs
}
