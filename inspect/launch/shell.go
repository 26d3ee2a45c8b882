package launch

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxScript limits the size of a script that is followed, and so the depth of the parser, since a few bytes are
// enough for one level.
const maxScript = 16 << 10

// startedByShell parses SHELL -c LINE, and SHELL FILE.
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
		return Started{Kind: Shell, Why: "no command line after -c", Rest: strings.Join(argv, " ")}
	case line:
		return Script(words[0], words[min(2, len(words)):]) // the first word after the line is $0
	case len(words) == 0:
		return Started{} // an interactive shell
	}
	return Started{File: words[0], Words: words[1:]}
}

// script is a command line or script that is being followed.
type script struct {
	Started
	shell
	text     string
	optional bool // a program was already started
}

// shell is the state that a command of a script passes on to the next.
type shell struct {
	params []string // $1 and so on
	env    []string // variables so far
	dir    string   // the directory so far
}

// position is the position of a statement in a script.
type position struct {
	last        bool // its exit status is the script's
	conditional bool // the previous statement decides whether it runs
	inside      bool // it is part of a longer statement, so exec and exit need not end the script
}

// Script returns what a shell's command line or a script starts, as far as it is certain. params are $1 and so on.
//
// The text is parsed as POSIX shell. Extensions of other shells are not followed, unless they mean the same.
func Script(text string, params []string) Started {
	s := script{Started: Started{Kind: Shell}, shell: shell{params: params}, text: text}
	if len(text) > maxScript {
		s.stop(fmt.Sprintf("a command line of more than %d KiB", maxScript>>10), 0)
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
		if !s.statement(stmt, position{last: n == len(all)-1}) {
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

// stop ends following. The rest of the text begins at an offset.
func (s *script) stop(why string, from uint) bool {
	s.Why, s.Rest = why, strings.Trim(s.text[min(from, uint(len(s.text))):], " \t\n;")
	return false
}

// statement follows a statement, and reports whether to continue with the next.
func (s *script) statement(stmt *syntax.Stmt, p position) bool {
	if stmt.Background {
		defer s.restore(s.shell)
		p.inside = true
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		return s.call(stmt, cmd, p)
	case *syntax.BinaryCmd:
		return s.binary(cmd, p)
	case nil: // only redirections
		if at := substitution(stmt); at.IsValid() {
			return s.stop(restOfLine, at.Offset())
		}
		return true
	}
	return s.stop(restOfLine, stmt.Pos().Offset())
}

func (s *script) restore(before shell) { s.shell = before }

// binary follows two statements with "&&", "||" or "|" between them.
func (s *script) binary(cmd *syntax.BinaryCmd, p position) bool {
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

// call follows a simple command: a program, a builtin, or only assignments.
func (s *script) call(stmt *syntax.Stmt, cmd *syntax.CallExpr, p position) bool {
	from, hidden := stmt.Pos().Offset(), substitution(stmt)
	own, ok := assigned(cmd)
	if !ok {
		return s.stop("the shell computes PATH", from)
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
	case len(words) == 0: // exec with redirections only, or an empty "$@"
		return true
	case computed(words[0], exec):
		return s.stop("the shell makes its first command", from)
	case exec || !slices.Contains(strings.Fields(builtins), words[0].text):
		return s.program(words, own, from, p) && s.nothingHidden(hidden) && (!exec || p.inside)
	}
	return s.nothingHidden(hidden) && s.builtin(words, from, p)
}

// computed reports whether the shell computes the name of the program, or gives a word a meaning that is not in
// POSIX, such as bash's NAME+=value.
func computed(first word, exec bool) bool {
	return !first.plain || exec && strings.HasPrefix(first.text, "-") || strings.Contains(first.text, "=")
}

// nothingHidden stops at a substitution, since what it runs is not known.
func (s *script) nothingHidden(at syntax.Pos) bool {
	return !at.IsValid() || s.stop(restOfLine, at.Offset())
}

// program adds a program that is started. From the first word that the shell expands on, the arguments are unknown.
func (s *script) program(words []word, env []string, from uint, p position) bool {
	maybe := s.optional || p.conditional || !p.last // the script may continue without it
	c := Command{Argv: plainWords(words), Env: slices.Concat(s.env, env), Dir: s.dir, Optional: maybe}
	s.Commands, s.optional = append(s.Commands, c), true
	next := Of(c.Argv, "")
	if len(c.Argv) < len(words) && next.Kind != "" && len(next.Commands) == 0 && next.Why == "" {
		return s.stop("the shell computes what "+base(c.Argv[0])+" starts", from)
	}
	return true
}

// builtin follows a builtin of the shell, and reports whether to continue: some only change settings.
func (s *script) builtin(words []word, from uint, p position) bool {
	known := false
	switch words[0].text {
	case "exit", "return":
		return p.inside
	case ":", "true", "false", "umask", "ulimit", "wait", "echo", "printf", "test", "[", "readonly", "local", "unset":
		known = true
	case "set":
		known = setsOptions(words)
	case "export":
		known = s.export(words[1:])
	case "shift":
		if known = len(words) == 1 && len(s.params) > 0; known {
			s.params = s.params[1:]
		}
	case "cd":
		known = s.changeDir(words[1:])
	}
	return known || s.stop("the shell builtin "+words[0].text, from)
}

// setsOptions reports whether "set" only sets options, such as -eu, and does not change $1 and so on.
func setsOptions(words []word) bool {
	return len(words) > 1 && words[1].plain && len(words[1].text) > 1 && strings.ContainsAny(words[1].text[:1], "-+") &&
		!slices.ContainsFunc(words, func(w word) bool { return w.text == "--" || w.text == "-" })
}

// export exports variables, and reports whether PATH is still known.
func (s *script) export(words []word) bool {
	for _, w := range words {
		if !w.plain && (w.text == "" || strings.HasPrefix(w.text, "PATH=")) {
			return false
		}
		s.env = append(slices.Clip(s.env), w.text)
	}
	return true
}

// changeDir changes the directory, and reports whether it is known.
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

// builtins are words that a shell does not look for in PATH, including those of bash.
const builtins = `. [ [[ alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs disown
	echo enable eval exec exit export false fc fg function getopts hash help history if jobs kill let local logout
	mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test time
	times trap true type typeset ulimit umask unalias unset wait :`
