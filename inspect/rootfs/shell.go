package rootfs

import (
	"slices"
	"strings"
)

// startedByShell knows what is certain about SHELL -c COMMAND: its first program, if the line begins with a simple command.
func startedByShell(argv []string) started {
	words, command := argv[1:], false
	for len(words) > 0 && len(words[0]) > 1 && (words[0][0] == '-' || words[0][0] == '+') {
		option := words[0]
		words = words[1:]
		if option == "--" {
			break
		}
		if strings.HasPrefix(option, "--") {
			continue
		}
		command = command || strings.Contains(option, "c")
		if values := strings.Count(option, "o") + strings.Count(option, "O"); values > 0 { // -o pipefail
			words = words[min(len(words), values):]
		}
	}
	switch {
	case !command:
		return started{} // a script as a file, or a shell for somebody
	case len(words) == 0:
		return started{role: Shell, why: "no command line behind -c", rest: strings.Join(argv, " ")}
	}
	return shellLine(words[0])
}

// shellLine is what a command line starts.
func shellLine(line string) started {
	s := started{role: Shell, rest: line}
	words, more := shellWords(line)
	if words = s.assignments(words); s.why != "" {
		return s
	}
	exec := len(words) > 1 && words[0] == word{"exec", true}
	if exec {
		words = words[1:]
	}
	switch {
	case len(words) == 0, !words[0].plain, exec && strings.HasPrefix(words[0].text, "-"):
		s.why = "the shell makes its first command"
		return s
	case !exec && slices.Contains(strings.Fields(builtins), words[0].text):
		s.why = "the first command is the shell's own"
		return s
	}
	// What the shell makes of the first word that it changes is not known, nor where the words behind it end up.
	s.argv = plainWords(words)
	next := startedBy(s.argv)
	switch {
	case len(s.argv) < len(words) && next.role != "" && next.argv == nil && next.why == "":
		s.why = "the shell makes what " + base(s.argv[0]) + " starts"
	case more != "" && !exec:
		s.why, s.rest = "the rest of the command line", more
	}
	return s
}

// assignments takes the variables that a command line sets before its command, and returns the rest.
func (s *started) assignments(words []word) []word {
	for len(words) > 0 && assigns(words[0].text) {
		if words[0].plain {
			s.env = append(s.env, words[0].text)
		} else if strings.HasPrefix(words[0].text, "PATH=") {
			s.why = "the shell makes PATH"
		}
		words = words[1:]
	}
	return words
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

// assigns says whether a word is NAME=value.
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

// word is one word of a command line.
type word struct {
	text  string
	plain bool // the text is what the program gets: nothing in it is for the shell to replace
}

// shellWords takes the first simple command of a line apart, as far as POSIX says without running anything
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_03). more is what comes after it.
func shellWords(line string) (words []word, more string) {
	var text strings.Builder
	plain, inside := true, false
	end := func() {
		if inside {
			words = append(words, word{text.String(), plain})
		}
		text.Reset()
		plain, inside = true, false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t':
			end()
		case '\n', ';', '&', '|', '(', ')', '<', '>', '#':
			if c == '#' && inside {
				text.WriteByte(c)
				continue
			}
			end()
			if c == '#' { // to the end of the line
				_, line, _ = strings.Cut(line[i:], "\n")
				return words, strings.TrimSpace(line)
			}
			return words, strings.TrimSpace(line[i:])
		case '\'', '"':
			n := strings.IndexByte(line[i+1:], c)
			if n < 0 {
				return nil, line // the shell would refuse it
			}
			quoted := line[i+1 : i+1+n]
			plain = plain && (c == '\'' || !strings.ContainsAny(quoted, "$`\\"))
			text.WriteString(quoted)
			inside = true
			i += n + 1
		default:
			plain = plain && !strings.ContainsRune("$`\\*?[{~", rune(c))
			text.WriteByte(c)
			inside = true
		}
	}
	end()
	return words, ""
}
