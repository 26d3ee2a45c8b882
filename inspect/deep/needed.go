package deep

import (
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// need is why something in the image would start or load a file.
type need struct {
	rule string // the name of the rule
	role string
	by   string // what requires it, for messages: "/usr/bin/node", "PATH"
	as   string // under which name; "" means its own
	from string // the path of the file that requires it; "" if none
}

// needs maps the paths of needed files to the reason.
type needs map[string]need

// add keeps the first reason for a file. Reasons are added in the order of the rules.
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
			"files that the image starts: the entrypoint, command and health check, through links, scripts and programs that start others, with their interpreters and loaders",
			"the image does not start"),
		needRule(ruleUserland, "the loader, libc and shell at the paths where programs of the platform look for them",
			"no program of the platform starts without them"),
	}
}

func neededRules() []Rule {
	return []Rule{
		needRule(rulePath,
			"programs in the directories of PATH, through links too, unless the name itself names another machine (kubectl-linux-amd64)",
			"a command of that name starts them"),
		needRule(ruleEnv,
			"programs and libraries named by variables of the image: bin/ of JAVA_HOME, the contents of LD_LIBRARY_PATH, LD_PRELOAD and the like",
			"the variable was set so that they are used"),
		needRule(ruleLibrary,
			"libraries that the loader finds for programs of the platform (DT_NEEDED through RPATH, RUNPATH, ld.so.conf and the usual directories), if it finds no fitting one; and the targets of links in its directories",
			"the programs do not start without them"),
		{
			Name: ruleLabel, State: inspect.Note, covers: (*suspect).coveredByLabel,
			Covers: "files that a GLOB of the image's label " + Label +
				" covers (16 at most, with commas), unless a note is a failure or a deployment is checked",
			Reason: "the image itself exempts them, as the note says",
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

func (s *suspect) coveredByLabel() bool {
	return !s.options.Strict && !s.options.IgnoreLabels && coveredByGlob(s.path, s.labelGlobs)
}

// needs returns the files that something would start or load. They are computed when the first program turns up that
// does not fit.
func (j *judgement) needs() needs {
	if j.needed != nil {
		return j.needed
	}
	j.needed = needs{}
	for path, why := range j.essential {
		rule := ruleStarted
		if why.by == "" {
			rule = ruleUserland
		}
		j.needed.add(path, need{rule: rule, role: why.role, by: why.by})
	}
	if j.judgeAll {
		j.addPath()
		j.addEnvironment()
		j.addLibraries()
	}
	return j.needed
}

// addPath adds the programs in the directories of PATH.
func (j *judgement) addPath() {
	listed := map[string]bool{}
	for _, dir := range j.pathDirs() {
		j.addProgramsIn(dir, rulePath, "PATH", listed)
	}
}

// addProgramsIn adds the programs of a directory under their names there, unless a name names another machine: such a
// name is not called by mistake.
//
// listed has the directories that were already added, by their real path.
func (j *judgement) addProgramsIn(dir, rule, by string, listed map[string]bool) {
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

// doubtful reports whether a program may not fit the platform, so that it matters what needs it.
func (j *judgement) doubtful(f *rootfs.File) bool {
	if f.Fact == nil || !judgeable(*f.Fact) {
		return false
	}
	verdict, _ := binary.Runs(*f.Fact, j.platform)
	return !fits(verdict) || len(j.options.Explain) > 0
}

// namesForeign reports whether a name contains the machine of a foreign program, or its system.
func namesForeign(name string, f binary.Fact) bool {
	return binary.Names(name, f.Arch) || f.Kind != binary.ELFExecutable && f.Kind != binary.ELFShared &&
		namesSystem(name, f)
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// pathDirs returns the directories of PATH for all uses.
func (j *judgement) pathDirs() (dirs []string) {
	known := map[string]bool{}
	for _, u := range j.useList() {
		for _, dir := range j.command(u).Path() {
			if !known[dir] {
				dirs = append(dirs, dir)
			}
			known[dir] = true
		}
	}
	return dirs
}

// maxVariables limits how many paths in variables are followed.
const maxVariables = 1000

// addEnvironment adds the files that variables other than PATH name, and the programs and libraries of the
// directories that they name.
func (j *judgement) addEnvironment() {
	n, listed := 0, map[string]bool{}
	for _, u := range j.useList() {
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
					j.addVariable(name, path, listed)
				}
			}
		}
	}
}

func (j *judgement) addVariable(name, path string, listed map[string]bool) {
	found, err := j.tree.Lookup(path)
	if err != nil {
		return
	}
	switch found.Type { //nolint:exhaustive // the others are nothing to start or load
	case rootfs.Program:
		j.needed.add(found.Path, need{rule: ruleEnv, role: roleOf(*found.File.Fact), by: "$" + name})
	case rootfs.Directory:
		j.addProgramsIn(path+"/bin", ruleEnv, "$"+name, listed)
		if strings.HasPrefix(name, "LD_") {
			j.addLibrariesIn(path, ruleEnv, "$"+name, true)
		}
	}
}
