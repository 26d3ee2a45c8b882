package rootfs

import (
	"errors"
	"fmt"
	"strings"

	"mtool/inspect/binary"
)

// ImageConfig is what an image config says of the process to be started.
type ImageConfig struct {
	OS         string // a GOOS; "" is linux
	Entrypoint []string
	Cmd        []string
	Env        []string // NAME=value
	WorkingDir string   // "" is the root
}

// Role is why a file belongs to the command.
type Role string

// The roles.
const (
	Entrypoint  Role = "entrypoint"  // the program that the config names, or that an init, a shell or env was told to run
	Init        Role = "init"        // starts another program: tini, gosu, env …
	Shell       Role = "shell"       // runs a command line
	Interpreter Role = "interpreter" // runs a script, by its #! line
	Loader      Role = "loader"      // loads a dynamically linked program (PT_INTERP)
)

// Step is one file that must be right for the image's command to start.
type Step struct {
	Role  Role
	Asked string // how it is named where it is asked for: "python3", "/bin/sh"
	By    string // what names it: "the image config", or the path of a file
	Found Found  // the file; the zero value where there is none
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

// Command follows what a runtime would start: Entrypoint and Cmd through WorkingDir, PATH and links to a file, from there
// through #! lines, loaders and programs that start others (inits, env, sh -c) as far as that can be told without running
// anything. The steps are in the order in which the files are opened. What comes behind a step with an Err is no more than
// what else is known: a program is followed though its loader is missing, and the rest of a command line is named.
//
// The error is ErrNoCommand, or ErrNotFollowed for systems other than Linux and the like, whose rules are different.
func (t *Tree) Command(c ImageConfig) ([]Step, error) {
	argv := append(append([]string(nil), c.Entrypoint...), c.Cmd...)
	if len(argv) == 0 {
		return nil, ErrNoCommand
	}
	if c.OS == "windows" {
		return nil, fmt.Errorf("%w: programs of %s", ErrNotFollowed, c.OS)
	}
	f := follower{tree: t, dir: "/" + c.WorkingDir, path: strings.Split(defaultPath, ":"), direct: true}
	for _, e := range c.Env {
		f.setenv(e)
	}
	f.run(argv, Entrypoint, "the image config")
	return f.steps, nil
}

// follower follows one command.
type follower struct {
	tree *Tree
	dir  string   // working directory
	path []string // PATH
	// direct says that the runtime starts the next program. Others take text without #! for a shell script, as execvp does.
	direct  bool
	depth   int // programs so far
	scripts int // #! lines since the last exec
	steps   []Step
}

// setenv takes NAME=value; only PATH matters here.
func (f *follower) setenv(assignment string) {
	if value, ok := strings.CutPrefix(assignment, "PATH="); ok {
		if f.path = nil; value != "" {
			f.path = strings.Split(value, ":")
		}
	}
}

// run follows a command whose first word is a program; by is what names it.
func (f *follower) run(argv []string, role Role, by string) {
	next := startedBy(argv)
	if role == Entrypoint && next.role != "" {
		role = next.role
	}
	self := Step{Role: role, Asked: argv[0], By: by}
	if f.depth++; f.depth > maxNesting {
		self.Err = fmt.Errorf("%w: more than %d programs that start programs", ErrNotFollowed, maxNesting)
	} else if self.Found, self.Err = f.find(argv[0]); self.Err == nil {
		self.Err = f.runnable(self.Found)
	}
	f.steps = append(f.steps, self)
	if self.Err != nil {
		return
	}
	f.direct = false
	if script := self.Found.interpreted(); script != nil {
		f.script(script, self.Found.Path, argv)
		return
	}
	f.loader(self.Found)
	f.start(next, role, self.Found.Path)
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
		f.steps = append(f.steps, Step{Role: Interpreter, Asked: fact.Interp, By: path, Err: err})
		return
	}
	if !strings.Contains(fact.Interp, "/") {
		words[0] = "./" + fact.Interp // the kernel knows no PATH
	}
	f.run(words, Interpreter, path)
}

// loader adds the loader of a dynamically linked program. Another program may follow even if it is missing: what is wrong
// with both is worth knowing.
func (f *follower) loader(program Found) {
	if program.File == nil || program.File.Fact == nil || !program.File.Fact.Kind.ELF() || program.File.Fact.Interp == "" {
		return
	}
	s := Step{Role: Loader, Asked: program.File.Fact.Interp, By: program.Path}
	if s.Found, s.Err = f.tree.lookup(f.dir, s.Asked); s.Err == nil {
		s.Err = f.runnable(s.Found)
	}
	f.steps = append(f.steps, s)
}

// start goes on with what a program was told to start.
func (f *follower) start(next started, role Role, by string) {
	if role != Interpreter {
		role = Entrypoint
	}
	for _, e := range next.env {
		f.setenv(e)
	}
	if len(next.argv) > 0 {
		f.scripts = 0 // the kernel counts from one exec to the next
		f.run(next.argv, role, by)
	}
	if next.why != "" {
		f.steps = append(f.steps, Step{Role: role, Asked: next.rest, By: by, Err: fmt.Errorf("%w: %s", ErrNotFollowed, next.why)})
	}
}

// find looks for a program as exec and execvp do: names without a slash in PATH, others from the working directory on.
func (f *follower) find(name string) (Found, error) {
	switch {
	case name == "":
		return Found{}, fmt.Errorf("%w: the program has no name", ErrMissing)
	case strings.Contains(name, "/"):
		return f.tree.lookup(f.dir, name)
	}
	var refused error
	for _, dir := range f.path {
		found, err := f.tree.lookup(f.dir, dir+"/"+name)
		if dir == "" {
			found, err = f.tree.lookup(f.dir, name)
		}
		if err == nil {
			err = f.runnable(found)
		}
		switch {
		case err == nil, errors.Is(err, ErrUnread):
			return found, err
		case errors.Is(err, ErrNotRunnable) && refused == nil:
			refused = err
		}
	}
	if refused != nil {
		return Found{}, refused
	}
	return Found{}, fmt.Errorf("%w: no %q in PATH (%s)", ErrMissing, name, strings.Join(f.path, ":"))
}

// runnable says why a file can't be executed, if so.
func (f *follower) runnable(found Found) error {
	switch {
	case found.Type == Directory:
		return fmt.Errorf("%w: %q is a directory", ErrNotRunnable, "/"+found.Path)
	case found.Type == Hardlink:
		return fmt.Errorf("%w: %q is a hard link to %q", ErrUnread, "/"+found.Path, "/"+found.File.Target)
	case !found.Runnable:
		return fmt.Errorf("%w: %q has no executable bit", ErrNotRunnable, "/"+found.Path)
	case found.Type == Unread:
		return fmt.Errorf("%w: %q is listed only", ErrUnread, "/"+found.Path)
	case f.direct && found.Type == Plain:
		return fmt.Errorf("%w: %q has no #! line and is no binary", ErrNotRunnable, "/"+found.Path)
	}
	return nil
}
