package launch

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// most is how long a script may be that is followed. It bounds how deep the parser goes: a few bytes are enough for one
// level.
const most = 16 << 10

// startedByShell knows SHELL -c LINE, and SHELL FILE.
func startedByShell(argv []string) Started {
	words, line := argv[1:], false
	for len(words) > 0 && len(words[0]) > 1 && (words[0][0] == '-' || words[0][0] == '+') {
		option := words[0]
		words = words[1:]
		if option == "--" {
			break
		}
		if strings.HasPrefix(option, "--") {
			continue
		}
		line = line || strings.Contains(option, "c")
		if values := strings.Count(option, "o") + strings.Count(option, "O"); values > 0 { // -o pipefail
			words = words[min(len(words), values):]
		}
	}
	switch {
	case line && len(words) == 0:
		return Started{Kind: Shell, Why: "no command line behind -c", Rest: strings.Join(argv, " ")}
	case line:
		return Script(words[0], words[min(2, len(words)):]) // the first word behind the line is $0
	case len(words) == 0:
		return Started{} // a shell for somebody
	}
	return Started{File: words[0], Words: words[1:]}
}

// script is a command line or a script on its way into what it starts.
type script struct {
	Started
	shell
	text  string
	maybe bool // a program was started before
}

// shell is what a command of a script hands on to the next.
type shell struct {
	params []string // $1 and so on
	env    []string // set so far
	dir    string   // gone to so far
}

// place is where a statement stands in a script.
type place struct {
	last        bool // the script ends with what it returns
	conditional bool // the statement before decides whether this one runs
	inside      bool // a part of a longer statement: exec and exit may not end the script
}

// Script returns what a command line of a shell starts, or a script, as far as it is certain. params are $1 and so on.
//
// It is read as POSIX has it: what the other shells add is either not followed, or means the same there.
func Script(text string, params []string) Started {
	s := script{Started: Started{Kind: Shell}, shell: shell{params: params}, text: text}
	if len(text) > most {
		s.stop(fmt.Sprintf("a command line of more than %d KiB", most>>10), 0)
		return s.Started
	}
	var all []*syntax.Stmt
	var err error
	for stmt, fault := range syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).StmtsSeq(strings.NewReader(text)) {
		if err = fault; err == nil {
			all = append(all, stmt)
		}
	}
	for n, stmt := range all {
		if !s.statement(stmt, place{last: n == len(all)-1}) {
			break
		}
	}
	switch {
	case len(all) == 0:
		s.stop("the shell makes its first command", 0)
	case err != nil && s.Why == "":
		s.stop(restOfLine, all[len(all)-1].Pos().Offset())
	}
	return s.Started
}

const restOfLine = "the rest of the command line"

// stop ends what is followed; the rest begins at an offset.
func (s *script) stop(why string, from uint) bool {
	s.Why, s.Rest = why, strings.Trim(s.text[min(from, uint(len(s.text))):], " \t\n;")
	return false
}

// statement follows a statement, and reports whether to go on with the next.
func (s *script) statement(stmt *syntax.Stmt, p place) bool {
	if stmt.Background {
		defer s.restore(s.shell)
		p.inside = true
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		return s.call(stmt, cmd, p)
	case *syntax.BinaryCmd:
		return s.binary(cmd, p)
	case nil: // it only opens files
		if at := substitution(stmt); at.IsValid() {
			return s.stop(restOfLine, at.Offset())
		}
		return true
	}
	return s.stop(restOfLine, stmt.Pos().Offset())
}

func (s *script) restore(before shell) { s.shell = before }

// binary follows two statements with "&&", "||" or "|" between them.
func (s *script) binary(cmd *syntax.BinaryCmd, p place) bool {
	p.inside = true
	left, right := p, p
	switch cmd.Op {
	case syntax.AndStmt, syntax.OrStmt:
		left.last, right.conditional = cmd.Op == syntax.AndStmt, true
	default:
		defer s.restore(s.shell)
		left.last = false
	}
	return s.statement(cmd.X, left) && s.statement(cmd.Y, right)
}

// call follows a simple command: a program, one of the shell's own, or assignments alone.
func (s *script) call(stmt *syntax.Stmt, cmd *syntax.CallExpr, p place) bool {
	from, hidden := stmt.Pos().Offset(), substitution(stmt)
	own, ok := assigned(cmd)
	if !ok {
		return s.stop("the shell makes PATH", from)
	}
	words := s.words(cmd.Args)
	exec := len(words) > 0 && words[0] == word{text: "exec", plain: true}
	if exec {
		words, p.last = words[1:], true
	}
	switch {
	case len(words) == 0 && !s.nothingHidden(hidden):
		return false
	case len(cmd.Args) == 0:
		s.env = append(slices.Clip(s.env), own...)
		return true
	case len(words) == 0: // exec opens files, or nothing is left of "$@"
		return true
	case made(words[0], exec):
		return s.stop("the shell makes its first command", from)
	case exec || !slices.Contains(strings.Fields(builtins), words[0].text):
		return s.program(words, own, from, p) && s.nothingHidden(hidden) && (!exec || p.inside)
	}
	return s.nothingHidden(hidden) && s.builtin(words, from, p)
}

// made reports whether the shell makes the name of the program, or more of a word than POSIX says: NAME+=value is
// bash's.
func made(first word, exec bool) bool {
	return !first.plain || exec && strings.HasPrefix(first.text, "-") || strings.Contains(first.text, "=")
}

// nothingHidden stops at a substitution: what it runs is not known.
func (s *script) nothingHidden(at syntax.Pos) bool {
	return !at.IsValid() || s.stop(restOfLine, at.Offset())
}

// program adds a program that is started. What the shell makes of the first word that it changes is not known, nor
// where the words behind it end up.
func (s *script) program(words []word, env []string, from uint, p place) bool {
	maybe := s.maybe || p.conditional || !p.last // the script may go on without it
	c := Command{Argv: plainWords(words), Env: slices.Concat(s.env, env), Dir: s.dir, Maybe: maybe}
	s.Commands, s.maybe = append(s.Commands, c), true
	next := Of(c.Argv, "")
	if len(c.Argv) < len(words) && next.Kind != "" && len(next.Commands) == 0 && next.Why == "" {
		return s.stop("the shell makes what "+base(c.Argv[0])+" starts", from)
	}
	return true
}

// builtin follows a command of the shell's own, and reports whether to go on: some only set things.
func (s *script) builtin(words []word, from uint, p place) bool {
	done := false
	switch words[0].text {
	case "exit", "return":
		return p.inside
	case ":", "true", "false", "umask", "ulimit", "wait", "echo", "printf", "test", "[", "readonly", "local", "unset":
		done = true
	case "set":
		done = setsOptions(words)
	case "export":
		done = s.export(words[1:])
	case "shift":
		if done = len(words) == 1 && len(s.params) > 0; done {
			s.params = s.params[1:]
		}
	case "cd":
		done = s.changeDir(words[1:])
	}
	return done || s.stop("the shell's own "+words[0].text, from)
}

// setsOptions reports whether "set" only sets options, such as -eu, and leaves $1 and the others as they are.
func setsOptions(words []word) bool {
	return len(words) > 1 && words[1].plain && len(words[1].text) > 1 && strings.ContainsAny(words[1].text[:1], "-+") &&
		!slices.ContainsFunc(words, func(w word) bool { return w.text == "--" || w.text == "-" })
}

// export reports whether PATH stays known.
func (s *script) export(words []word) bool {
	for _, w := range words {
		if !w.plain && (w.text == "" || strings.HasPrefix(w.text, "PATH=")) {
			return false
		}
		s.env = append(slices.Clip(s.env), w.text)
	}
	return true
}

// changeDir reports whether it is certain where "cd" leads.
func (s *script) changeDir(words []word) bool {
	if len(words) != 1 || !words[0].plain || words[0].text == "-" || words[0].text == "" {
		return false
	}
	if s.dir == "" || strings.HasPrefix(words[0].text, "/") {
		s.dir = words[0].text
	} else {
		s.dir += "/" + words[0].text
	}
	return true
}

// builtins are words that a shell does not look for in PATH, those of bash among them.
const builtins = `. [ [[ alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs disown echo enable
	eval exec exit export false fc fg function getopts hash help history if jobs kill let local logout mapfile popd
	printf pushd pwd read readarray readonly return select set shift shopt source suspend test time times trap true type typeset
	ulimit umask unalias unset wait :`
