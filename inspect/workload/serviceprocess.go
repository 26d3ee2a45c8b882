package workload

import (
	"fmt"
	"slices"
	"strings"
)

// serviceProcess is what a service of Compose starts: https://github.com/compose-spec/compose-spec/blob/main/05-services.md
func (r *reader) serviceProcess(l layers) Process {
	s := service{reader: r, layers: l}
	p := Process{Entrypoint: s.command("entrypoint"), Cmd: s.command("command"), Health: s.health()}
	if p.Entrypoint != nil && p.Cmd == nil {
		p.Cmd = []string{} // the image's command is for the image's entrypoint
	}
	if dir := s.words(l.first("working_dir")); len(dir) == 1 {
		p.WorkingDir = dir[0]
	}
	for _, hook := range []string{"post_start", "pre_stop"} {
		for _, at := range l.every(hook) {
			for _, h := range at.list() {
				if words := s.split(member{h.get("command"), at.file}); len(words) > 0 {
					p.Also = append(p.Also, words)
				}
			}
		}
	}
	p.Env = s.path()
	p.Mounts = s.mounts()
	p.Unknown = s.unknown
	return p
}

// service are the members of a service on their way into a Process.
type service struct {
	*reader
	layers  layers
	unknown string
}

// words are the strings of a sequence, or one string, with their variables filled in.
func (s *service) words(m member) []string {
	var all []string
	for _, n := range m.all() {
		filled := n
		if n.is(text) {
			value, err := interpolate(n.text, m.file.env)
			if err != nil {
				s.unknown = fmt.Sprintf("%q: %v", n.text, err)
				continue
			}
			filled = &node{kind: text, text: value}
		}
		all = append(all, filled.scalar())
	}
	return all
}

// command is nil where it is not said, and empty where it is said to be none.
func (s *service) command(key string) []string {
	m := s.layers.first(key)
	if m.node == nil {
		return nil
	}
	return append([]string{}, s.split(m)...)
}

// split takes a command apart: a list as it is, a line as a shell would without replacing anything.
func (s *service) split(m member) []string {
	words := s.words(m)
	if m.is(sequence) || len(words) == 0 {
		return words
	}
	split, ok := splitWords(words[0])
	if !ok {
		s.unknown = fmt.Sprintf("%q is no whole command line", words[0])
	}
	return split
}

// health is the command of the health check; a line is for the shell.
func (s *service) health() []string {
	if s.layers.first("healthcheck", "disable").scalar() == "true" {
		return []string{}
	}
	test := s.layers.first("healthcheck", "test")
	words := s.words(test)
	switch {
	case test.node == nil:
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

// path is what the service sets PATH to, as its environment: a list or a mapping.
func (s *service) path() []string {
	for _, m := range s.layers.every("environment") {
		if value := m.get("PATH"); value != nil {
			if words := s.words(member{value, m.file}); len(words) == 1 {
				return []string{"PATH=" + words[0]}
			}
			return nil
		}
		for _, n := range m.list() {
			if strings.HasPrefix(n.scalar(), "PATH=") {
				return s.words(member{n, m.file})
			}
		}
	}
	return nil
}

// mounts are the paths of volumes, tmpfs, configs and secrets in the container.
func (s *service) mounts() []string {
	var all []string
	for _, key := range []string{"volumes", "tmpfs", "configs", "secrets"} {
		for _, m := range s.layers.every(key) {
			for _, n := range m.all() {
				all = append(all, s.mount(key, member{n, m.file})...)
			}
		}
	}
	return slices.DeleteFunc(all, func(path string) bool { return !strings.HasPrefix(path, "/") })
}

func (s *service) mount(key string, n member) (all []string) {
	switch {
	case n.is(mapping):
		return s.words(member{n.get("target"), n.file})
	case key == "tmpfs":
		return s.words(n)
	case key == "volumes":
		for _, word := range s.words(n) {
			parts := strings.Split(word, ":")
			all = append(all, parts[min(1, len(parts)-1)])
		}
	}
	return all
}

// splitWords takes a line apart at its blanks, with quotes and backslashes as a shell has them. It reports whether every quote
// is closed.
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

// wordSplitter is a line on its way into words.
type wordSplitter struct {
	words  []string
	word   strings.Builder
	inside bool // a word has begun, perhaps an empty one in quotes
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

// escaped takes a character behind a backslash, which double quotes keep before most characters.
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
