package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"mtool/inspect/binary"
	"mtool/inspect/launch"
)

// ImageConfig is what an image config says about the process to start.
type ImageConfig struct {
	OS         string // a GOOS; "" means linux
	Entrypoint []string
	Cmd        []string
	Env        []string // NAME=value
	WorkingDir string   // "" means the root; runtimes create it if it is missing
	// Extra has other commands that are started in the container: health checks, probes, hooks.
	Extra []ExtraCommand
	// Mounts are paths of the container at which something is mounted over the image.
	Mounts []string
	// Unknown says why the command is not known before the container starts; "" if it is.
	Unknown string
	By      string // what names the command; "" means the image config
}

// ExtraCommand is a command that is started in addition to the image's own.
type ExtraCommand struct {
	Argv []string
	By   string // what names it: "the health check"
}

// Role says why a file belongs to the command.
type Role string

// The roles.
const (
	Entrypoint  Role = "entrypoint" // the program that the config names, or that an init, a shell or env runs
	Init             = Role(launch.Init)
	Shell            = Role(launch.Shell)
	Interpreter Role = "interpreter" // runs a script, by its #! line
	Loader      Role = "loader"      // loads a dynamically linked program (PT_INTERP)
)

// Step is one file that the image's command needs to start.
type Step struct {
	Role  Role
	Name  string // as the config or file names it: "python3", "/bin/sh"
	By    string // what names it: "the image config", or the path of a file
	Found Found  // the file; the zero value if there is none
	// Guess says that the file is only named in the command line of a program that may start it.
	Guess bool
	// Err says why the file can't be followed further; nil if it can. It wraps ErrMissing, ErrUnread, ErrLoop,
	// ErrNotRunnable or ErrNotFollowed; the last one is not a fault of the image.
	Err error
}

// defaultPath is the PATH that runtimes set if the config has none.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const (
	maxScripts = 5  // #! lines in a row, as in Linux
	maxNesting = 32 // programs that start programs
)

// Command follows what a runtime would start: Entrypoint and Cmd through WorkingDir, PATH and links to a file, and
// from there through #! lines, loaders and programs that start others (inits, env, sh -c, simple scripts), as far as
// possible without running anything. The steps are in the order in which the files are opened. A step with an Err
// need not be the last: a program is followed even if its loader is missing, and programs in the rest of a command
// line are named. A step that wraps ErrNotFollowed says that more is started than the steps show.
//
// The error is ErrNoCommand, or ErrNotFollowed for Windows, whose rules are different.
func (t *Tree) Command(c ImageConfig) ([]Step, error) {
	argv := append(append([]string(nil), c.Entrypoint...), c.Cmd...)
	if len(argv) == 0 && len(c.Extra) == 0 {
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
		f.addStop(Entrypoint, strings.Join(argv, " "), by, c.Unknown)
	}
	for _, extra := range c.Extra {
		if len(extra.Argv) == 0 {
			continue
		}
		f2 := newFollower(t, c)
		f2.optional = true // a container runs without them
		f2.run(extra.Argv, Entrypoint, extra.By)
		f.steps = append(f.steps, f2.steps...)
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

// state is what one program passes on to the next.
type state struct {
	dir  string   // working directory
	path []string // PATH
	// direct says that the runtime starts the next program. Other callers run text without #! as a shell script, as
	// execvp does.
	direct  bool
	scripts int // #! lines since the last exec
	// optional says that a missing program is not a fault: it may be created before, or is not needed.
	optional bool
	guess    bool // the command is only named in the command line of another program
	// scriptFile is the script that is being interpreted, and scriptArgs are its arguments.
	scriptFile string
	scriptArgs []string
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

// setenv sets NAME=value, of which only PATH matters here.
func (f *follower) setenv(assignment string) {
	if value, ok := strings.CutPrefix(assignment, "PATH="); ok {
		if f.path = nil; value != "" {
			f.path = strings.Split(value, ":")
		}
	}
}

func (f *follower) add(s Step) {
	s.Guess = f.guess
	if f.optional && (errors.Is(s.Err, ErrMissing) || errors.Is(s.Err, ErrNotRunnable)) {
		s.Err = fmt.Errorf("%w: it is not in the image, and may be created when the container starts", ErrNotFollowed)
	}
	f.steps = append(f.steps, s)
}

// addStop adds a step that says why following ends here.
func (f *follower) addStop(role Role, what, by, why string) {
	f.add(Step{Role: role, Name: what, By: by, Err: fmt.Errorf("%w: %s", ErrNotFollowed, why)})
}

// run follows a command whose first word is a program. by names what starts it.
func (f *follower) run(argv []string, role Role, by string) {
	if f.depth++; f.depth > maxNesting+1 {
		return
	}
	this := Step{Name: argv[0], By: by}
	if f.depth > maxNesting {
		this.Err = fmt.Errorf("%w: more than %d programs that start programs", ErrNotFollowed, maxNesting)
	} else if this.Found, this.Err = f.find(argv[0]); this.Err == nil {
		this.Err = f.runnable(this.Found)
	}
	next := launch.Of(argv, this.Found.Path)
	switch this.Role = role; {
	case role == Entrypoint && next.Kind != "":
		this.Role = Role(next.Kind)
	case role == Interpreter && len(next.Commands) == 0 && next.File == "":
		next = launch.Started{Why: aScript, Rest: "/" + f.scriptFile, Words: f.scriptArgs}
	}
	f.add(this)
	if this.Err != nil {
		if errors.Is(this.Err, ErrNotFollowed) {
			f.followWords(argv[1:], argv[0])
		}
		return
	}
	f.direct = false
	if script := this.Found.interpreted(); script != nil {
		f.runScript(script, this.Found.Path, argv)
		return
	}
	f.addLoader(this.Found)
	f.followStarted(next, this.Role, this.Found.Path)
}

// interpreted returns the fact of a script with a #! line that the kernel accepts, else nil.
func (f Found) interpreted() *binary.Fact {
	if f.File == nil || f.File.Fact == nil || f.File.Fact.Kind != binary.Script || f.File.Fact.Interp == "" {
		return nil
	}
	return f.File.Fact
}

// runScript runs what the kernel does: the interpreter, its one argument, the script, and the script's arguments.
func (f *follower) runScript(fact *binary.Fact, path string, argv []string) {
	words := []string{fact.Interp}
	if fact.InterpArg != "" {
		words = append(words, fact.InterpArg)
	}
	words = append(append(words, "/"+path), argv[1:]...)
	if f.scripts++; f.scripts > maxScripts {
		err := fmt.Errorf("%w of #! lines: more than %d", ErrLoop, maxScripts)
		f.add(Step{Role: Interpreter, Name: fact.Interp, By: path, Err: err})
		return
	}
	if !strings.Contains(fact.Interp, "/") {
		words[0] = "./" + fact.Interp // the kernel knows no PATH
	}
	if f.scripts == 1 {
		f.scriptFile, f.scriptArgs = path, argv[1:]
	}
	f.run(words, Interpreter, path)
}

// addLoader adds the loader of a dynamically linked program. Following goes on if it is missing, to report all
// faults.
func (f *follower) addLoader(program Found) {
	if program.File == nil || program.File.Fact == nil || !program.File.Fact.Kind.ELF() || program.File.Fact.Interp == "" {
		return
	}
	s := Step{Role: Loader, Name: program.File.Fact.Interp, By: program.Path}
	if s.Found, s.Err = f.tree.lookup(f.dir, s.Name); s.Err == nil {
		s.Err = f.runnable(s.Found)
	}
	f.add(s)
}

// followStarted follows what a program starts.
func (f *follower) followStarted(next launch.Started, role Role, by string) {
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
		f.optional, f.scripts = f.optional || c.Optional, 0 // the kernel counts from one exec to the next
		f.run(c.Argv, role, by)
		f.state = before
	}
	switch {
	case next.File != "":
		f.followScript(next, role, by)
	case next.Why != "":
		f.addStop(role, next.Rest, by, next.Why)
		f.followWords(next.Words, by)
	default:
		if f.followWords(next.Words, by) {
			f.addStop(role, strings.Join(next.Words, " "), by, "what /"+by+" starts")
		}
	}
}

// aScript is why a script is not followed: it is more than a few plain commands.
const aScript = "a script"

// followScript follows a shell script, if it is no more than a few plain commands.
func (f *follower) followScript(next launch.Started, role Role, by string) {
	found, err := f.tree.lookup(f.dir, next.File)
	if err == nil && found.File != nil && found.File.Fact != nil && found.File.Fact.Script != "" {
		next2 := launch.Script(found.File.Fact.Script, next.Words)
		if next2.Why != "" {
			next2.Why, next2.Rest, next2.Words = aScript, next.File, next.Words
		}
		f.followStarted(next2, Entrypoint, found.Path)
		return
	}
	f.addStop(role, next.File, by, aScript)
	f.followWords(next.Words, by)
}

// followWords follows the first word that names a program of the image, and reports whether there is one.
func (f *follower) followWords(words []string, by string) bool {
	before := f.state
	defer func() { f.state = before }()
	f.guess, f.optional, f.direct, f.scripts = true, true, false, 0
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
			f.add(Step{Role: Entrypoint, Name: word, By: by, Err: err})
		case err == nil && found.Type == Program:
			f.run(words[n:], Entrypoint, by)
			return true
		}
	}
	return false
}
