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

// Limits of the search. No working image comes near them.
const (
	maxSearched = 256     // directories searched for one library
	maxLookups  = 1 << 20 // look-ups in one image
)

// addLibraries adds the libraries that the loader finds for programs of the platform, and the targets of links in its
// directories.
func (j *judgement) addLibraries() {
	s := search{
		judgement: j, dirs: j.loaderDirs(), known: map[string]bool{}, resolved: map[string]string{},
		unfit: map[string]bool{},
	}
	for _, dir := range s.dirs {
		j.addLibrariesIn(dir, ruleLibrary, "/"+dir, false)
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
		f.Message = fmt.Sprintf("%s: the search for libraries that programs load stopped after %d look-ups", j.name(),
			maxLookups)
		j.add(f)
	}
}

// fits reports whether a program is for the platform's own machine.
func fits(v binary.Verdict) bool {
	return v == binary.Right || v == binary.Unstated || v == binary.Newer
}

// addLibrariesIn adds the targets of links to libraries in a directory and, if all is set, the libraries in it.
func (j *judgement) addLibrariesIn(dir, rule, by string, all bool) {
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

// search finds libraries as ld.so does. https://man7.org/linux/man-pages/man8/ld.so.8.html
type search struct {
	*judgement

	dirs  []string        // searched for every program
	known map[string]bool // names that were searched for there
	// resolved maps directories to their paths without links; "" means that there is none.
	resolved map[string]string
	unfit    map[string]bool // libraries that do not fit a program that needs them
	lookups  int
}

// find searches for a library that a program needs. Like glibc, it skips those of another machine or ABI.
func (s *search) find(program rootfs.Entry, name string) {
	ownDirs := s.ownDirs(program)
	key := name + " " + program.File.Fact.Convention()
	if len(ownDirs) == 0 && s.known[key] {
		return
	}
	s.known[key] = s.known[key] || len(ownDirs) == 0
	var first *rootfs.Found
	for _, at := range s.candidates(ownDirs, name) {
		if s.lookups++; s.lookups > maxLookups {
			return
		}
		found, err := s.tree.Lookup(at)
		if err != nil || found.Type != rootfs.Program || !judgeable(*found.File.Fact) {
			continue
		}
		verdict, _ := binary.Runs(*found.File.Fact, s.platform)
		if loadable, _, _ := binary.Fits(*program.File.Fact, *found.File.Fact); loadable && fits(verdict) {
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
		s.reportOtherABI(program, first.Entry)
		return
	}
	s.needed.add(first.Path,
		need{rule: ruleLibrary, role: roleShared, by: "/" + program.Path, as: name, from: program.Path})
}

// candidates returns the paths at which a library may be.
func (s *search) candidates(ownDirs []string, name string) (all []string) {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	for _, dir := range slices.Concat(ownDirs, s.dirs) {
		if dir = s.resolve(dir); dir != "" && len(all) < maxSearched {
			all = append(all, dir+"/"+name)
		}
	}
	return all
}

// resolve returns the path of a directory without links; "" if there is none. The root is "/".
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

// ownDirs returns the directories that a program names itself. RPATH counts only without RUNPATH.
func (s *search) ownDirs(program rootfs.Entry) []string {
	d := program.File.Fact.Dynamic
	return s.listed(program, cmp.Or(d.RunPath, d.RPath))
}

// listed returns the directories of a list in a program. $LIB stands for lib, or for what distributions use instead.
func (s *search) listed(program rootfs.Entry, list string) (dirs []string) {
	if list == "" {
		return nil
	}
	origin := "/" + path.Dir(program.Path)
	for dir := range strings.SplitSeq(list, ":") {
		dir = strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin).Replace(dir)
		libs := []string{"lib"}
		if strings.Contains(dir, "LIB") {
			libs = append([]string{"lib", "lib64"}, withPrefix("lib/", triplets(s.platform.Architecture))...)
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

func withPrefix(prefix string, all []string) (some []string) {
	for _, s := range all {
		some = append(some, prefix+s)
	}
	return some
}

// loaderDirs returns the directories in which the platform's loaders search for the libraries of every program: those
// of ld.so.conf, of musl's path file, and the usual ones. Directories for another machine, which ld.so.conf lists for
// that machine's loader, are left out.
func (j *judgement) loaderDirs() []string {
	if j.libDirs != nil {
		return j.libDirs
	}
	for _, dir := range slices.Concat(j.configuredDirs(), libraryDirs(j.platform.Architecture),
		[]string{"usr/local/lib", "usr/local/lib64"}) {
		dir = strings.Trim(path.Clean("/"+dir), "/")
		foreign := isTarget(base(dir)) && binary.Foreign(base(dir), j.platform.Architecture) != ""
		if !foreign && !slices.Contains(j.libDirs, dir) && len(j.libDirs) < maxSearched {
			j.libDirs = append(j.libDirs, dir)
		}
	}
	return j.libDirs
}
