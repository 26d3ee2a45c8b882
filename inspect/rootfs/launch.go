package rootfs

import (
	"slices"
	"strings"
)

// started is what a command line tells its program to start.
type started struct {
	role Role     // of the program itself; "" where it is an ordinary one
	argv []string // what it starts; nil: nothing
	env  []string // NAME=value that it sets before
	why  string   // what is not followed, and the reason; "": nothing is left out
	rest string   // the words that why is about
}

// launcher describes the command line of a program that starts another: OPTIONS WORDS… COMMAND….
type launcher struct {
	names  []string
	flags  string // options without a value, single letters
	valued string // options whose value is the next word, single letters
	long   []string
	words  int // before the command, as gosu's user
}

// launchers is a function, so that nobody can change the table.
func launchers() []launcher {
	return []launcher{
		// https://github.com/krallin/tini
		{names: []string{"tini", "tini-static", "docker-init"}, flags: "svwglh", valued: "pe"},
		// https://github.com/Yelp/dumb-init
		{names: []string{"dumb-init"}, flags: "cv", valued: "r", long: []string{"--single-child", "--verbose"}},
		{names: []string{"catatonit"}, flags: "g"}, // https://github.com/openSUSE/catatonit
		{names: []string{"gosu"}, words: 1},        // https://github.com/tianon/gosu
		{names: []string{"su-exec"}, words: 1},     // https://github.com/ncopa/su-exec
		{names: []string{"nohup", "setsid"}},
	}
}

// startedBy knows inits, env, shells with -c, and busybox in front of any of them.
func startedBy(argv []string) started {
	name := base(argv[0])
	switch {
	case name == "busybox" || name == "toybox":
		if len(argv) == 1 {
			return started{}
		}
		return startedBy(argv[1:])
	case name == "env":
		return startedByEnv(argv)
	case slices.Contains([]string{"sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"}, name):
		return startedByShell(argv)
	}
	for _, l := range launchers() {
		if slices.Contains(l.names, name) {
			return l.starts(argv)
		}
	}
	return started{}
}

func (l launcher) starts(argv []string) started {
	words := argv[1:]
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' {
		option := words[0]
		words = words[1:]
		if option == "--" {
			break
		}
		letters := option[1:]
		last := letters[len(letters)-1:]
		switch {
		case slices.Contains(l.long, option), strings.Trim(letters, l.flags) == "":
		case strings.Contains(l.valued, last) && strings.Trim(letters[:len(letters)-1], l.flags) == "" && len(words) > 0:
			words = words[1:]
		default:
			return started{role: Init, why: "the option " + option + " of " + base(argv[0]), rest: strings.Join(argv, " ")}
		}
	}
	if len(words) <= l.words {
		return started{role: Init, why: base(argv[0]) + " has nothing to start", rest: strings.Join(argv, " ")}
	}
	return started{role: Init, argv: words[l.words:]}
}

// startedByEnv knows env(1) of coreutils and busybox, -S included, which #! lines need for more than one argument.
func startedByEnv(argv []string) started {
	s := started{role: Init}
	words := argv[1:]
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		rest, ok := s.envOption(words[0], words[1:])
		if !ok {
			return started{role: Init, why: "the option " + words[0] + " of env", rest: strings.Join(argv, " ")}
		}
		words = rest
	}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		s.env = append(s.env, words[0])
		words = words[1:]
	}
	if len(words) > 0 {
		s.argv = words
	}
	return s
}

// envOption takes one option of env, and returns the words behind it and its value.
func (s *started) envOption(option string, words []string) (rest []string, ok bool) {
	if split, ok := strings.CutPrefix(strings.TrimPrefix(option, "-v"), "-S"); ok {
		if split == "" && len(words) > 0 {
			split, words = words[0], words[1:]
		}
		return append(strings.Fields(split), words...), !strings.ContainsAny(split, `"'\$#`)
	}
	switch option {
	case "-v", "--":
		return words, true
	case "-", "-i":
		s.env = append(s.env, "PATH=/bin:/usr/bin") // what execvp falls back to
		return words, true
	case "-u":
		if len(words) > 0 && words[0] != "PATH" {
			return words[1:], true
		}
	}
	return nil, false
}
