package launch

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Kind is the kind of a program that starts others.
type Kind string

// The kinds.
const (
	Init  Kind = "init"  // starts another program: tini, gosu, env …
	Shell Kind = "shell" // runs a command line
)

// Started is what the program of a command line starts.
type Started struct {
	Kind     Kind      // of the program itself; "" if it is an ordinary one
	Commands []Command // what it starts, in order
	File     string    // a script that a shell reads
	Why      string    // what is not followed; "" if everything is
	Rest     string    // the text that Why is about
	Words    []string  // words that may name programs; or the arguments of File
}

// Command is one command that a program starts.
type Command struct {
	Argv     []string
	Env      []string // NAME=value, set for the command
	Dir      string   // its directory, relative to the previous one; "": the same
	Optional bool     // other commands precede it, or decide whether it is started
}

// Of recognises launchers, shells, either of them run by busybox, and programs that start what their files name. path
// is the path of the program without links, since it may have another name than the link.
func Of(argv []string, path string) Started {
	if name := base(argv[0]); name == "busybox" || name == "toybox" {
		if len(argv) == 1 {
			return Started{}
		}
		return Of(argv[1:], "")
	}
	for _, name := range []string{base(argv[0]), base(path)} {
		if s, known := startedByName(name, argv); known {
			return s
		}
	}
	return Started{Words: argv[1:]}
}

func startedByName(name string, argv []string) (s Started, known bool) {
	switch {
	case name == "env":
		return startedByEnv(argv), true
	case name == "su", name == "runuser":
		return startedBySu(argv), true
	case slices.Contains(strings.Fields(shells), name):
		return startedByShell(argv), true
	case isLoader(name):
		return ldso().started(argv), true
	case slices.Contains(strings.Fields(supervisors), name):
		return Started{
			Why: "what the files of " + name + " tell it to start", Rest: strings.Join(argv, " "),
			Words: argv[1:],
		}, true
	case isInterpreter(name) && len(argv) > 1:
		return Started{Why: "what " + name + " runs", Rest: strings.Join(argv, " "), Words: argv[1:]}, true
	}
	for _, l := range launchers() {
		if slices.Contains(strings.Fields(l.names), name) {
			return l.started(argv), true
		}
	}
	return Started{}, false
}

const shells = "sh ash bash dash ksh mksh zsh"

// supervisors start what their configuration files name, not their command line.
const supervisors = `init launcher systemd supervisord s6-svscan s6-overlay-suexec s6-linux-init runsvdir runit openrc-init upstart pebble
	monit crond cron forego honcho foreman overmind goreman pm2 pm2-runtime multirun circusd god bluepill npm npx yarn pnpm bundle`

// isInterpreter reports whether a program of this name, with or without a version after it, runs code from other
// files.
func isInterpreter(name string) bool {
	name = strings.TrimRight(name, "0123456789.")
	return slices.Contains(strings.Fields(`python pypy java node nodejs ruby jruby perl php php-fpm lua luajit Rscript R deno bun dotnet mono
		guile tclsh erl escript elixir iex julia racket scala groovy clojure jshell ts-node uwsgi execlineb make`), name)
}

// isLoader reports whether a name is that of ld.so, which can run a program in its arguments.
func isLoader(name string) bool {
	return strings.HasPrefix(name, "ld-linux") || strings.HasPrefix(name, "ld-musl-") ||
		strings.HasPrefix(name, "ld64.so") || name == "ld.so" || strings.HasPrefix(name, "ld.so.")
}

func (l launcher) started(argv []string) Started {
	words := argv[1:]
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' {
		option := words[0]
		words = words[1:]
		if option == "--" {
			break
		}
		skip, ok := l.option(option)
		if !ok || skip > len(words) {
			return Started{
				Kind: Init, Why: "the option " + option + " of " + base(argv[0]), Rest: strings.Join(argv, " "), Words: argv[1:],
			}
		}
		words = words[skip:]
	}
	var env []string
	for l.assigns && len(words) > 0 && isAssignment(words[0]) {
		env, words = append(env, words[0]), words[1:]
	}
	if len(words) <= l.arguments {
		return Started{Kind: Init, Why: base(argv[0]) + " has nothing to start", Rest: strings.Join(argv, " ")}
	}
	if words = words[l.arguments:]; strings.HasPrefix(words[0], "-") {
		return Started{
			Kind: Init, Why: "the option " + words[0] + " of " + base(argv[0]), Rest: strings.Join(argv, " "),
			Words: words,
		}
	}
	return Started{Kind: Init, Commands: []Command{{Argv: words, Env: env}}}
}

// option returns how many of the words after an option belong to it, and whether the option is known.
func (l launcher) option(option string) (skip int, ok bool) {
	name, _, attached := strings.Cut(strings.TrimLeft(option, "-"), "=")
	if strings.HasPrefix(option, "--") || l.oneDash {
		switch {
		case slices.Contains(strings.Fields(l.longValued), name):
			if attached {
				return 0, true
			}
			return 1, true
		case slices.Contains(strings.Fields(l.long), name):
			return 0, true
		}
		return 0, false
	}
	for n, letter := range option[1:] {
		switch {
		case strings.ContainsRune(l.flags, letter):
		case strings.ContainsRune(l.valued, letter) && n == len(option)-2:
			return 1, true
		case strings.ContainsRune(l.valued, letter):
			return 0, true // the rest is its value
		default:
			return 0, false
		}
	}
	return 0, true
}

// startedBySu parses su(1) and runuser(1): USER -c LINE, or runuser -u USER COMMAND.
func startedBySu(argv []string) Started {
	for n, word := range argv {
		switch {
		case (word == "-c" || word == "--command") && n+1 < len(argv):
			s := Script(argv[n+1], nil)
			s.Kind = Init
			return s
		case word == "-u" && base(argv[0]) == "runuser":
			return launcher{valued: "ugG"}.started(argv)
		}
	}
	return Started{Kind: Init, Why: "what " + base(argv[0]) + " starts", Rest: strings.Join(argv, " "), Words: argv[1:]}
}

// startedByEnv parses env(1) of coreutils and busybox, including -S, which #! lines need for more than one argument.
func startedByEnv(argv []string) Started {
	var c Command
	words := argv[1:]
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		rest, ok := c.envOption(words[0], words[1:])
		if !ok {
			return Started{
				Kind: Init, Why: "the option " + words[0] + " of env", Rest: strings.Join(argv, " "),
				Words: words[1:],
			}
		}
		words = rest
	}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		c.Env = append(c.Env, words[0])
		words = words[1:]
	}
	if c.Argv = words; len(words) == 0 {
		return Started{Kind: Init}
	}
	return Started{Kind: Init, Commands: []Command{c}}
}

// envOption parses one option of env, and returns the words after it and its value.
func (c *Command) envOption(option string, words []string) (rest []string, ok bool) {
	split, isSplit := strings.CutPrefix(strings.TrimPrefix(option, "-v"), "-S")
	if long, isLong := strings.CutPrefix(option, "--split-string"); isLong {
		split, isSplit = strings.TrimPrefix(long, "="), true
	}
	if isSplit {
		if split == "" && len(words) > 0 {
			split, words = words[0], words[1:]
		}
		return append(strings.Fields(split), words...), !strings.ContainsAny(split, `"'\$#`)
	}
	value, isDir := strings.CutPrefix(option, "--chdir=")
	switch {
	case option == "-v", option == "--":
		return words, true
	case option == "-", option == "-i", option == "--ignore-environment":
		c.Env = append(c.Env, "PATH=/bin:/usr/bin") // the default of execvp
		return words, true
	case isDir:
		c.Dir = value
		return words, true
	case len(words) == 0:
		return nil, false
	case option == "-C", option == "--chdir":
		c.Dir = words[0]
		return words[1:], true
	case option == "-u" && words[0] != "PATH":
		return words[1:], true
	}
	return nil, false
}

// assigns reports whether a word is NAME=value.
func isAssignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && syntax.ValidName(name)
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
