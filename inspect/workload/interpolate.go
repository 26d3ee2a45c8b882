package workload

import (
	"errors"
	"fmt"
	"strings"
)

// interpolate fills in variables as Compose does: $VAR, ${VAR}, ${VAR:-default}, ${VAR-default}, ${VAR:?message},
// ${VAR?message}, ${VAR:+instead}, ${VAR+instead}, nested ones in the defaults, and $$ for a dollar sign. Unlike Compose, which
// warns and goes on with nothing, a variable that is not set is an error: an image name with a hole is another image's.
func interpolate(s string, lookup variables) (string, error) {
	return fill(s, lookup, 0)
}

func fill(s string, lookup variables, depth int) (string, error) {
	if depth > maxDepth {
		return "", errors.New("variables are nested too deeply")
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		var value string
		var err error
		switch {
		case strings.HasPrefix(after, "$"):
			value, s = "$", after[1:]
		case strings.HasPrefix(after, "{"):
			end := closing(after)
			if end < 0 {
				return "", errors.New("a ${ has no end")
			}
			value, err = braced(after[1:end], lookup, depth)
			s = after[end+1:]
		default:
			name := identifier(after)
			if name == "" {
				return "", errors.New("a $ has no variable behind it; a dollar sign is written $$")
			}
			value, err = plain(name, lookup)
			s = after[len(name):]
		}
		if err != nil {
			return "", err
		}
		out.WriteString(value)
	}
}

// closing is where the brace ends with which s begins.
func closing(s string) int {
	open := 0
	for i, c := range s {
		switch c {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

func identifier(s string) string {
	for i, c := range s {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return s[:i]
		}
	}
	return s
}

func plain(name string, lookup variables) (string, error) {
	value, set, err := lookup(name)
	if !set && err == nil {
		err = fmt.Errorf("the variable %s is not set", name)
	}
	return value, err
}

// braced is what stands between ${ and }.
func braced(s string, lookup variables, depth int) (string, error) {
	name := identifier(s)
	rest := s[len(name):]
	if name == "" {
		return "", fmt.Errorf("${%s} names no variable", s)
	}
	if rest == "" {
		return plain(name, lookup)
	}
	value, set, err := lookup(name)
	word, colon := strings.CutPrefix(rest, ":")
	if colon {
		set = set && value != ""
	}
	switch {
	case strings.HasPrefix(word, "-"):
		if set {
			return value, nil
		}
		return fill(word[1:], lookup, depth+1)
	case strings.HasPrefix(word, "+"):
		if !set {
			return "", nil
		}
		return fill(word[1:], lookup, depth+1)
	case strings.HasPrefix(word, "?"):
		if set || err != nil {
			return value, err
		}
		return "", fmt.Errorf("the variable %s is not set: %s", name, word[1:])
	}
	return "", fmt.Errorf("${%s} is no variable as Compose writes them", s)
}
