package deep

import (
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// need is why something in the image would start or load a file.
type need struct {
	rule string // the row of the table
	role string
	by   string // what asks for it, for people: "/usr/bin/node", "PATH"
	as   string // under which name; "" is its own
	from string // the path of the file that asks; "" is none
}

// needs are the files that are needed, by path.
type needs map[string]need

// add keeps the first reason of a file: they come in the order of the rules.
func (n needs) add(path string, why need) {
	if _, ok := n[path]; !ok {
		n[path] = why
	}
}

// The names of the rules by which a file is needed.
const (
	ruleStarted  = "started"
	ruleUserland = "userland"
	rulePath     = "PATH"
	ruleEnv      = "environment"
	ruleLibrary  = "library"
	ruleLabel    = "label"
)

func startedRules() []Rule {
	return []Rule{
		needRule(ruleStarted,
			"what the image starts: the entrypoint, command and health check, through links, scripts and programs that start others, with their interpreters and loaders",
			"it does not start"),
		needRule(ruleUserland, "the loader, libc and shell at the paths where programs of the platform look for them",
			"no program of the platform starts without them"),
	}
}

func neededRules() []Rule {
	return []Rule{
		needRule(rulePath,
			"programs that a name in the directories of PATH finds, by links too, unless the name itself is that of another machine (kubectl-linux-amd64)",
			"whoever calls the name gets them"),
		needRule(ruleEnv,
			"programs and libraries that variables of the image name: bin/ of JAVA_HOME, what LD_LIBRARY_PATH, LD_PRELOAD and the like lead to",
			"somebody set the variable to have them used"),
		needRule(ruleLibrary,
			"libraries that the loader finds for the right programs (DT_NEEDED through RPATH, RUNPATH, ld.so.conf and the usual directories), where it finds no right one; those to which links in its directories lead",
			"the programs do not start without them"),
		{
			Name: ruleLabel, State: inspect.Note, covers: (*suspect).wished,
			Covers: "files that a GLOB of the image's label " + Label +
				" covers (16 at most, with commas), unless --strict, --files or --cluster",
			Reason: "the image's own wish, which is shown as such",
		},
	}
}

func needRule(name, covers, reason string) Rule {
	return Rule{Name: name, State: inspect.Mismatch, Covers: covers, Reason: reason, covers: func(s *suspect) bool {
		why, ok := s.needs()[s.path]
		if ok && why.rule == name {
			s.need = why
		}
		return ok && why.rule == name
	}}
}

func (s *suspect) wished() bool {
	return !s.options.Strict && !s.options.IgnoreLabels && covered(s.path, s.label)
}

// needs are the files that something would start or load. They are looked for when a program turns up that is not
// right.
func (j *judgement) needs() needs {
	if j.needed != nil {
		return j.needed
	}
	j.needed = needs{}
	for path, own := range j.own {
		rule := ruleStarted
		if own.by == "" {
			rule = ruleUserland
		}
		j.needed.add(path, need{rule: rule, role: own.role, by: own.by})
	}
	if j.all {
		j.inPath()
		j.inEnvironment()
		j.libraries()
	}
	return j.needed
}

// inPath adds what names in the directories of PATH find.
func (j *judgement) inPath() {
	listed := map[string]bool{}
	for _, dir := range j.pathDirs() {
		j.programsIn(dir, rulePath, "PATH", listed)
	}
}

// programsIn adds the programs of a directory under the names there. Nobody calls a name that is another machine's.
//
// listed are the directories that were gone through, however they were spelled.
func (j *judgement) programsIn(dir, rule, by string, listed map[string]bool) {
	in, err := j.tree.Lookup(dir)
	if err != nil || listed[in.Path] {
		return
	}
	listed[in.Path] = true
	for e := range j.tree.In(in.Path) {
		found := rootfs.Found{Entry: e}
		role := roleOther
		if e.Type == rootfs.Symlink {
			var err error
			if found, err = j.tree.Lookup(e.Path); err != nil {
				continue
			}
			role = roleLinked
		}
		if found.Type == rootfs.Program && found.Runnable && j.doubtful(found.File) &&
			!namesForeign(base(e.Path), *found.File.Fact) {
			j.needed.add(found.Path, need{rule: rule, role: role, by: by, as: "/" + e.Path})
		}
	}
}

// doubtful reports whether a program is not simply for the platform, so that it matters who needs it.
func (j *judgement) doubtful(f *rootfs.File) bool {
	if f.Fact == nil || !judgeable(*f.Fact) {
		return false
	}
	verdict, _ := binary.Runs(*f.Fact, j.platform)
	return !fits(verdict) || len(j.options.Explain) > 0
}

// namesForeign reports whether a name says that a program is for another machine or system.
func namesForeign(name string, f binary.Fact) bool {
	return binary.Names(name, f.Arch) || f.Kind != binary.ELFExecutable && f.Kind != binary.ELFShared &&
		namesSystem(name, f)
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// pathDirs are the directories of PATH, of all uses.
func (j *judgement) pathDirs() (dirs []string) {
	known := map[string]bool{}
	for _, u := range j.subject.all() {
		for _, dir := range j.command(u).Path() {
			if !known[dir] {
				dirs = append(dirs, dir)
			}
			known[dir] = true
		}
	}
	return dirs
}

// maxVariables bounds how many paths are followed that variables name.
const maxVariables = 1000

// inEnvironment adds what variables other than PATH name: a file, and the programs and libraries of a directory.
func (j *judgement) inEnvironment() {
	n, listed := 0, map[string]bool{}
	for _, u := range j.subject.all() {
		for _, e := range j.command(u).Env {
			name, value, _ := strings.Cut(e, "=")
			if name == "PATH" {
				continue
			}
			for path := range strings.SplitSeq(value, ":") {
				if n++; n > maxVariables {
					return
				}
				if strings.HasPrefix(path, "/") && strings.Trim(path, "/") != "" {
					j.variable(name, path, listed)
				}
			}
		}
	}
}

func (j *judgement) variable(name, path string, listed map[string]bool) {
	found, err := j.tree.Lookup(path)
	if err != nil {
		return
	}
	switch found.Type { //nolint:exhaustive // the others are nothing to start or load
	case rootfs.Program:
		j.needed.add(found.Path, need{rule: ruleEnv, role: roleOf(*found.File.Fact), by: "$" + name})
	case rootfs.Directory:
		j.programsIn(path+"/bin", ruleEnv, "$"+name, listed)
		if strings.HasPrefix(name, "LD_") {
			j.libraryLinks(path, ruleEnv, "$"+name, true)
		}
	}
}
