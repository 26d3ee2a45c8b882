package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/launch"
)

// ImageConfig is what an image config says of the process to be started.
type ImageConfig struct {
	OS         string // a GOOS; "" is linux
	Entrypoint []string
	Cmd        []string
	Env        []string // NAME=value
	WorkingDir string   // "" is the root; runtimes make it where it is not there
	// Also are other commands that are started in the container: health checks, probes, hooks.
	Also []Also
	// Mounts are paths of the container whose files are not the image's.
	Mounts []string
	// Unknown is why the words are known only when the container starts; "" where they are known.
	Unknown string
	By      string // who says so; "" is the image config
}

// Also is a command that is started besides the image's own.
type Also struct {
	Argv []string
	By   string // what names it: "the health check"
}

// Role is why a file belongs to the command.
type Role string

// The roles.
const (
	Entrypoint  Role = "entrypoint" // the program that the config names, or that an init, a shell or env was told to run
	Init             = Role(launch.Init)
	Shell            = Role(launch.Shell)
	Interpreter Role = "interpreter" // runs a script, by its #! line
	Loader      Role = "loader"      // loads a dynamically linked program (PT_INTERP)
)

// Step is one file that must be right for the image's command to start.
type Step struct {
	Role  Role
	Asked string // how it is named where it is asked for: "python3", "/bin/sh"
	By    string // what names it: "the image config", or the path of a file
	Found Found  // the file; the zero value where there is none
	// Guess says that the file is only named in the command line of a program that may start it.
	Guess bool
	// Err says why the way ends here, nil where it does not. It wraps ErrMissing, ErrUnread, ErrLoop, ErrNotRunnable or
	// ErrNotFollowed; the last is no fault of the image.
	Err error
}

// defaultPath is what runtimes set where the config has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const (
	maxScripts = 5  // #! lines in a row, as in Linux
	maxNesting = 32 // programs that start programs
)

// Command follows what a runtime would start: Entrypoint and Cmd through WorkingDir, PATH and links to a file, from
// there through #! lines, loaders and programs that start others (inits, env, sh -c, scripts that do no more than that)
// as far as that can be told without running anything. The steps are in the order in which the files are opened. What
// comes behind a step with an Err is no more than what else is known: a program is followed though its loader is
// missing, and the rest of a command line is named. A step that wraps ErrNotFollowed says that more is started than the
// steps tell.
//
// The error is ErrNoCommand, or ErrNotFollowed for systems other than Linux and the like, whose rules are different.
func (t *Tree) Command(c ImageConfig) ([]Step, error) {
	argv := append(append([]string(nil), c.Entrypoint...), c.Cmd...)
	if len(argv) == 0 && len(c.Also) == 0 {
		return nil, ErrNoCommand
	}
	if c.OS == "windows" {
		return nil, fmt.Errorf("%w: programs of %s", ErrNotFollowed, c.OS)
	}
	f := newFollower(t, c)
	by := cmp.Or(c.By, "the image config")
	if len(argv) > 0 {
		f.run(argv, Entrypoint, by)
	}
	if c.Unknown != "" {
		f.stop(Entrypoint, strings.Join(argv, " "), by, c.Unknown)
	}
	for _, other := range c.Also {
		if len(other.Argv) == 0 {
			continue
		}
		g := newFollower(t, c)
		g.maybe = true // a container runs without them
		g.run(other.Argv, Entrypoint, other.By)
		f.steps = append(f.steps, g.steps...)
	}
	return f.steps, nil
}

// follower follows one command.
type follower struct {
	tree   *Tree
	mounts []string
	steps  []Step
	depth  int // programs so far
	state
}

// state is what one program hands on to the next.
type state struct {
	dir  string   // working directory
	path []string // PATH
	// direct says that the runtime starts the next program. Others take text without #! for a shell script, as execvp
	// does.
	direct  bool
	scripts int // #! lines since the last exec
	// maybe says that what is missing is no fault: it may be made before, or is not needed.
	maybe bool
	guess bool // the command is only named in that of another program
	// file is the script that is being interpreted, and args are its arguments.
	file string
	args []string
}

func newFollower(t *Tree, c ImageConfig) *follower {
	f := &follower{
		tree: t, mounts: c.Mounts,
		state: state{dir: "/" + c.WorkingDir, path: strings.Split(defaultPath, ":"), direct: true},
	}
	for _, e := range c.Env {
		f.setenv(e)
	}
	return f
}

// setenv takes NAME=value; only PATH matters here.
func (f *follower) setenv(assignment string) {
	if value, ok := strings.CutPrefix(assignment, "PATH="); ok {
		if f.path = nil; value != "" {
			f.path = strings.Split(value, ":")
		}
	}
}

func (f *follower) add(s Step) {
	s.Guess = f.guess
	if f.maybe && (errors.Is(s.Err, ErrMissing) || errors.Is(s.Err, ErrNotRunnable)) {
		s.Err = fmt.Errorf("%w: it is not in the image, and may be made when the container starts", ErrNotFollowed)
	}
	f.steps = append(f.steps, s)
}

// stop says that more is started than is followed.
func (f *follower) stop(role Role, what, by, why string) {
	f.add(Step{Role: role, Asked: what, By: by, Err: fmt.Errorf("%w: %s", ErrNotFollowed, why)})
}

// run follows a command whose first word is a program; by is what names it.
func (f *follower) run(argv []string, role Role, by string) {
	if f.depth++; f.depth > maxNesting+1 {
		return
	}
	self := Step{Asked: argv[0], By: by}
	if f.depth > maxNesting {
		self.Err = fmt.Errorf("%w: more than %d programs that start programs", ErrNotFollowed, maxNesting)
	} else if self.Found, self.Err = f.find(argv[0]); self.Err == nil {
		self.Err = f.runnable(self.Found)
	}
	next := launch.Of(argv, self.Found.Path)
	switch self.Role = role; {
	case role == Entrypoint && next.Kind != "":
		self.Role = Role(next.Kind)
	case role == Interpreter && len(next.Commands) == 0 && next.File == "":
		next = launch.Started{Why: aScript, Rest: "/" + f.file, Words: f.args}
	}
	f.add(self)
	if self.Err != nil {
		if errors.Is(self.Err, ErrNotFollowed) {
			f.words(argv[1:], argv[0])
		}
		return
	}
	f.direct = false
	if script := self.Found.interpreted(); script != nil {
		f.script(script, self.Found.Path, argv)
		return
	}
	f.loader(self.Found)
	f.start(next, self.Role, self.Found.Path)
}

// interpreted is the fact of a script with a #! line that the kernel takes, else nil.
func (f Found) interpreted() *binary.Fact {
	if f.File == nil || f.File.Fact == nil || f.File.Fact.Kind != binary.Script || f.File.Fact.Interp == "" {
		return nil
	}
	return f.File.Fact
}

// script goes on as the kernel does: the interpreter, its one argument, the script, and the script's arguments.
func (f *follower) script(fact *binary.Fact, path string, argv []string) {
	words := []string{fact.Interp}
	if fact.InterpArg != "" {
		words = append(words, fact.InterpArg)
	}
	words = append(append(words, "/"+path), argv[1:]...)
	if f.scripts++; f.scripts > maxScripts {
		err := fmt.Errorf("%w of #! lines: more than %d", ErrLoop, maxScripts)
		f.add(Step{Role: Interpreter, Asked: fact.Interp, By: path, Err: err})
		return
	}
	if !strings.Contains(fact.Interp, "/") {
		words[0] = "./" + fact.Interp // the kernel knows no PATH
	}
	if f.scripts == 1 {
		f.file, f.args = path, argv[1:]
	}
	f.run(words, Interpreter, path)
}

// loader adds the loader of a dynamically linked program. Another program may follow even if it is missing: what is
// wrong with both is worth knowing.
func (f *follower) loader(program Found) {
	if program.File == nil || program.File.Fact == nil || !program.File.Fact.Kind.ELF() || program.File.Fact.Interp == "" {
		return
	}
	s := Step{Role: Loader, Asked: program.File.Fact.Interp, By: program.Path}
	if s.Found, s.Err = f.tree.lookup(f.dir, s.Asked); s.Err == nil {
		s.Err = f.runnable(s.Found)
	}
	f.add(s)
}

// start goes on with what a program was told to start.
func (f *follower) start(next launch.Started, role Role, by string) {
	if role != Interpreter {
		role = Entrypoint
	}
	for _, c := range next.Commands {
		before := f.state
		if c.Dir != "" {
			f.dir = inDir(f.dir, c.Dir)
		}
		for _, e := range c.Env {
			f.setenv(e)
		}
		f.maybe, f.scripts = f.maybe || c.Maybe, 0 // the kernel counts from one exec to the next
		f.run(c.Argv, role, by)
		f.state = before
	}
	switch {
	case next.File != "":
		f.read(next, role, by)
	case next.Why != "":
		f.stop(role, next.Rest, by, next.Why)
		f.words(next.Words, by)
	default:
		if f.words(next.Words, by) {
			f.stop(role, strings.Join(next.Words, " "), by, "what /"+by+" starts")
		}
	}
}

// aScript is why a script is not followed: it does more than start one program.
const aScript = "a script"

// read goes on with what a shell script does, where that is no more than a few plain commands.
func (f *follower) read(next launch.Started, role Role, by string) {
	found, err := f.tree.lookup(f.dir, next.File)
	if err == nil && found.File != nil && found.File.Fact != nil && found.File.Fact.Script != "" {
		does := launch.Script(found.File.Fact.Script, next.Words)
		if does.Why != "" {
			does.Why, does.Rest, does.Words = aScript, next.File, next.Words
		}
		f.start(does, Entrypoint, found.Path)
		return
	}
	f.stop(role, next.File, by, aScript)
	f.words(next.Words, by)
}

// words follows the first word that names a program of the image, and reports whether there is one.
func (f *follower) words(words []string, by string) bool {
	before := f.state
	defer func() { f.state = before }()
	f.guess, f.maybe, f.direct, f.scripts = true, true, false, 0
	for n, word := range words {
		if word == "" || word[0] == '-' {
			continue
		}
		found, err := f.find(word)
		if err == nil {
			err = f.runnable(found)
		}
		switch {
		case errors.Is(err, ErrUnread):
			f.add(Step{Role: Entrypoint, Asked: word, By: by, Err: err})
		case err == nil && found.Type == Program:
			f.run(words[n:], Entrypoint, by)
			return true
		}
	}
	return false
}
