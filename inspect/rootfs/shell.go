package rootfs

import (
	"slices"
	"strings"
)

// startedByShell knows SHELL -c LINE, and SHELL FILE.
func startedByShell(argv []string) started {
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
		return started{role: Shell, why: "no command line behind -c", rest: strings.Join(argv, " ")}
	case line:
		return shellLine(words[0], words[min(2, len(words)):]) // the first word behind the line is $0
	case len(words) == 0:
		return started{} // a shell for somebody
	}
	return started{script: words[0], words: words[1:]}
}

// line is a command line of a shell on its way into what it starts.
type line struct {
	started
	params []string // $1 and so on
	env    []string // set so far
	dir    string   // gone to so far
	maybe  bool     // a program was started before
}

// shellLine is what a command line starts, or a script, as far as it is certain.
func shellLine(text string, params []string) started {
	l := line{started: started{role: Shell}, params: params}
	statements, more := shellStatements(text)
	for n, s := range statements {
		after := "" // the operator behind the statement
		if n+1 < len(statements) {
			after = statements[n+1].after
		}
		if !l.statement(s, after) {
			if l.why != "" && l.rest == "" {
				l.rest = strings.TrimSpace(text[s.from:])
			}
			return l.started
		}
	}
	switch {
	case more != "":
		l.stop("the rest of the command line", more)
	case len(statements) == 0:
		l.stop("the shell makes its first command", text)
	}
	return l.started
}

func (l *line) stop(why, rest string) bool {
	l.why, l.rest = why, rest
	return false
}

// statement takes one simple command, and reports whether to go on with the next, which stands behind the operator after.
func (l *line) statement(s statement, after string) bool {
	own, words, ok := l.assignments(l.filled(s.words))
	if !ok {
		return false
	}
	if len(words) == 0 {
		return l.assign(s, own)
	}
	exec := words[0] == word{text: "exec", plain: true}
	if exec {
		if words = words[1:]; len(words) == 0 {
			return true // it only opens files
		}
	}
	switch {
	case !words[0].plain, exec && strings.HasPrefix(words[0].text, "-"):
		return l.stop("the shell makes its first command", "")
	case !exec && slices.Contains(strings.Fields(builtins), words[0].text):
		return l.builtin(words)
	}
	if !exec && after != "" && after != "&&" {
		l.maybe = true // the line goes on without it
	}
	if !l.add(s, words, own) {
		return false
	}
	return !exec || after == "&&" || after == "||"
}

// assignments takes "!" and NAME=value from the front of a command. It reports whether PATH stays known.
func (l *line) assignments(words []word) (own []string, rest []word, ok bool) {
	for len(words) > 0 && words[0] == (word{text: "!", plain: true}) {
		words = words[1:]
	}
	for len(words) > 0 && assigns(words[0].text) {
		if !words[0].plain && strings.HasPrefix(words[0].text, "PATH=") {
			return nil, nil, l.stop("the shell makes PATH", "")
		}
		if words[0].plain {
			own = append(own, words[0].text)
		}
		words = words[1:]
	}
	return own, words, true
}

// assign takes a command that starts nothing.
func (l *line) assign(s statement, own []string) bool {
	l.env = append(l.env, own...)
	if len(own)+len(s.words) == 0 && len(l.params) == 0 {
		return l.stop("the shell makes its first command", "")
	}
	return true
}

// add adds a program that is started. What the shell makes of the first word that it changes is not known, nor where the words
// behind it end up.
func (l *line) add(s statement, words []word, env []string) bool {
	c := command{argv: plainWords(words), env: slices.Concat(l.env, env), dir: l.dir, maybe: l.maybe || s.conditional()}
	l.commands, l.maybe = append(l.commands, c), true
	next := startedBy(c.argv, "")
	if len(c.argv) < len(words) && next.role != "" && len(next.commands) == 0 && next.why == "" {
		return l.stop("the shell makes what "+base(c.argv[0])+" starts", "")
	}
	return true
}

// builtin takes a command of the shell's own, and reports whether to go on: some only set things.
func (l *line) builtin(words []word) bool {
	switch words[0].text {
	case "exit", "return":
		return false
	case ":", "true", "false", "umask", "ulimit", "wait", "echo", "printf", "test", "[", "readonly", "local", "unset":
		return true
	case "set":
		if setsOptions(words) {
			return true
		}
	case "export":
		return l.export(words[1:])
	case "shift":
		if len(words) == 1 && len(l.params) > 0 {
			l.params = l.params[1:]
			return true
		}
	case "cd":
		if l.changeDir(words[1:]) {
			return true
		}
	}
	return l.stop("the shell's own "+words[0].text, "")
}

// setsOptions reports whether "set" only sets options, such as -eu, and leaves $1 and the others as they are.
func setsOptions(words []word) bool {
	return len(words) > 1 && words[1].plain && len(words[1].text) > 1 && strings.ContainsAny(words[1].text[:1], "-+") &&
		words[1].text != "--"
}

func (l *line) export(words []word) bool {
	for _, w := range words {
		if strings.HasPrefix(w.text, "PATH=") && !w.plain {
			return l.stop("the shell makes PATH", "")
		}
		l.env = append(l.env, w.text)
	}
	return true
}

// changeDir reports whether it is certain where "cd" leads.
func (l *line) changeDir(words []word) bool {
	if len(words) != 1 || !words[0].plain || words[0].text == "-" || words[0].text == "" {
		return false
	}
	if l.dir == "" || strings.HasPrefix(words[0].text, "/") {
		l.dir = words[0].text
	} else {
		l.dir += "/" + words[0].text
	}
	return true
}

// filled are the words with $1, "$@" and the like replaced.
func (l *line) filled(words []word) []word {
	var all []word
	for _, w := range words {
		switch name := strings.Trim(strings.TrimPrefix(w.text, "$"), "{}"); {
		case w.plain || !strings.HasPrefix(w.text, "$"):
			all = append(all, w)
		case name == "@", name == "*" && len(l.params) < 2:
			for _, p := range l.params {
				all = append(all, word{text: p, plain: true})
			}
		case len(name) == 1 && name[0] >= '1' && name[0] <= '9' && int(name[0]-'0') <= len(l.params):
			all = append(all, word{text: l.params[name[0]-'1'], plain: true})
		default:
			all = append(all, w)
		}
	}
	return all
}

// plainWords are the words before the first one that is not plain.
func plainWords(words []word) []string {
	var plain []string
	for _, w := range words {
		if !w.plain {
			break
		}
		plain = append(plain, w.text)
	}
	return plain
}

// builtins are words that a shell does not look for in PATH.
const builtins = `! . : [ [[ alias bg break builtin caller case cd command continue declare dirs do done echo elif else esac eval
	exec exit export false fc fg fi for function getopts hash if in jobs kill let local printf pwd read readonly return select
	set shift shopt source test then time times trap true type ulimit umask unalias unset until wait while { }`

// assigns reports whether a word is NAME=value.
func assigns(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	if !ok || name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
