package deep

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Glob is a pattern of paths, as Options.AllowForeign has them: * and ? stop at a slash, ** does not, [a-z] is a class. A
// pattern that ends in a slash covers everything below it.
type Glob struct {
	text    string
	pattern *regexp.Regexp
}

// ParseGlob reads a pattern. A leading slash is taken away; one without any other character is an error.
func ParseGlob(text string) (Glob, error) {
	clean := strings.TrimLeft(strings.TrimSpace(text), "/")
	if clean == "" {
		return Glob{}, fmt.Errorf("reading pattern %q: it is empty", text)
	}
	if _, err := path.Match(clean, ""); err != nil {
		return Glob{}, fmt.Errorf("reading pattern %q: %w", text, err)
	}
	if strings.HasSuffix(clean, "/") {
		clean += "**"
	}
	pattern, err := regexp.Compile("^" + translated(clean) + "$")
	if err != nil {
		return Glob{}, fmt.Errorf("reading pattern %q: %w", text, err)
	}
	return Glob{text: text, pattern: pattern}, nil
}

// String is the pattern as it was written.
func (g Glob) String() string { return g.text }

// Match says whether the pattern covers a path without a leading slash.
func (g Glob) Match(path string) bool { return g.pattern != nil && g.pattern.MatchString(path) }

// translated is a pattern as a regular expression.
func translated(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		rest := glob[i:]
		switch c := glob[i]; {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '[' && strings.IndexByte(rest, ']') > 1:
			end := strings.IndexByte(rest, ']')
			b.WriteString("[" + strings.ReplaceAll(rest[1:end], `\`, `\\`) + "]")
			i += end
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return b.String()
}

func covered(path string, globs []Glob) bool {
	for _, g := range globs {
		if g.Match(path) {
			return true
		}
	}
	return false
}
