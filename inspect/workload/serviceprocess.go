package workload

import (
	"fmt"
	"slices"
	"strings"
)

// serviceProcess returns what a service of Compose starts:
// https://github.com/compose-spec/compose-spec/blob/main/05-services.md
func serviceProcess(n *node) Process {
	s := service{node: n}
	p := Process{Entrypoint: s.command("entrypoint"), Cmd: s.command("command"), Health: s.health()}
	if p.Entrypoint != nil && p.Cmd == nil {
		p.Cmd = []string{} // the image's command is for the image's entrypoint
	}
	if dir := s.words(n.get("working_dir")); len(dir) == 1 {
		p.WorkingDir = dir[0]
	}
	for _, key := range []string{"post_start", "pre_stop"} {
		for _, hook := range n.get(key).list() {
			if words := s.split(hook.get("command")); len(words) > 0 {
				p.Extra = append(p.Extra, words)
			}
		}
	}
	p.Env = s.path()
	p.Mounts = s.mounts()
	p.Unknown = s.unknown
	return p
}

// service is a service while it is converted to a Process.
type service struct {
	*node
	unknown string
}

// words are the strings of a sequence, or one string.
func (s *service) words(n *node) []string {
	var all []string
	for _, w := range n.all() {
		switch {
		case w.is(text) && w.from.err != nil:
			s.unknown = fmt.Sprintf("%q: %v", w.written(), w.from.err)
		case w.is(mapping), w.is(sequence):
			s.unknown = "a word is not a text"
		default:
			all = append(all, w.scalar())
		}
	}
	return all
}

// command returns nil if it is not set, and an empty slice if it is set to none.
func (s *service) command(key string) []string {
	n := s.get(key)
	if n == nil || n.kind == nothing {
		return nil
	}
	return append([]string{}, s.split(n)...)
}

// split splits a command: a list unchanged, a line like a shell without expansions.
func (s *service) split(n *node) []string {
	words := s.words(n)
	if n.is(sequence) || len(words) == 0 {
		return words
	}
	split, ok := splitWords(words[0])
	if !ok {
		s.unknown = fmt.Sprintf("%q is not a complete command line", words[0])
	}
	return split
}

// health returns the command of the health check; a line is for the shell.
func (s *service) health() []string {
	if s.get("healthcheck", "disable").scalar() == "true" {
		return []string{}
	}
	test := s.get("healthcheck", "test")
	words := s.words(test)
	switch {
	case test == nil || test.kind == nothing:
		return nil
	case len(words) == 0 || words[0] == "NONE":
		return []string{}
	case !test.is(sequence):
		return []string{"/bin/sh", "-c", words[0]}
	case words[0] == "CMD-SHELL" && len(words) > 1:
		return []string{"/bin/sh", "-c", words[1]}
	}
	return words[1:]
}

// path returns the service's PATH. Without a value it is that of whoever starts the project.
func (s *service) path() (all []string) {
	environment := s.get("environment")
	vars := environment.list()
	if value := environment.get("PATH"); value != nil {
		vars = []*node{{kind: text, text: "PATH", from: value.from}}
		if value.kind != nothing {
			vars[0].text += "=" + value.scalar()
		}
	}
	for _, n := range vars {
		name, _, set := strings.Cut(n.scalar(), "=")
		switch {
		case name != "PATH":
		case !set:
			s.unknown = "PATH is set when the container starts"
		default:
			all = s.words(n)
		}
	}
	return all
}

// mounts returns the paths of volumes, tmpfs, configs and secrets in the container.
func (s *service) mounts() []string {
	all := s.words(s.get("tmpfs"))
	for _, key := range []string{"volumes", "configs", "secrets"} {
		for _, n := range s.get(key).list() {
			all = append(all, s.words(n.get("target"))...)
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(all, func(path string) bool { return !strings.HasPrefix(path, "/") })
}

// splitWords splits a line at blanks, with quotes and backslashes as in a shell. It reports whether every quote is
// closed.
func splitWords(line string) (words []string, ok bool) {
	var s wordSplitter
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			s.escaped(c)
			escaped = false
		case c == '\\' && s.quote != '\'':
			escaped = true
		default:
			s.next(c)
		}
	}
	if escaped {
		s.add('\\')
	}
	s.end()
	return s.words, s.quote == 0
}

// wordSplitter is the state of splitWords.
type wordSplitter struct {
	words  []string
	word   strings.Builder
	inside bool // inside a word, perhaps an empty one in quotes
	quote  rune // the open quote, or 0
}

func (s *wordSplitter) next(c rune) {
	switch {
	case s.quote == 0 && (c == '\'' || c == '"'):
		s.quote, s.inside = c, true
	case s.quote == c:
		s.quote = 0
	case s.quote == 0 && strings.ContainsRune(" \t\r\n", c):
		s.end()
	default:
		s.add(c)
	}
}

// escaped handles a character after a backslash, which double quotes keep before most characters.
func (s *wordSplitter) escaped(c rune) {
	if s.quote == '"' && !strings.ContainsRune("\"\\$`", c) {
		s.add('\\')
	}
	s.add(c)
}

func (s *wordSplitter) add(c rune) {
	s.word.WriteRune(c)
	s.inside = true
}

func (s *wordSplitter) end() {
	if s.inside {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inside = false
}
