package deep

import (
	"strings"

	"mtool/inspect/binary"
)

// span is the position of a word in a text.
type span struct{ from, to int }

// masks caches texts in which the words for machines and systems are replaced by a star.
type masks map[string]string

// maxMasks limits how many texts are cached.
const maxMasks = 20_000

// mask replaces the words of a name: sharp-linux-x64 becomes sharp-*. Ambiguous words count only if they name the
// file's own machine.
func (m masks) mask(text, arch string) string {
	key := arch + "/" + text
	if masked, ok := m[key]; ok {
		return masked
	}
	result := maskText(text, arch)
	if len(m) < maxMasks {
		m[key] = result
	}
	return result
}

func maskText(text, arch string) string {
	var b strings.Builder
	at := 0
	for _, s := range joinSpans(text, spans(text, arch)) {
		b.WriteString(text[at:s.from] + "*")
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}

// spans returns the words for machines and systems, in their order.
func spans(text, arch string) (all []span) {
	machines := binary.NamedIn(text)
	for from := 0; from < len(text); {
		if len(machines) > 0 {
			if at, end := machines[0].Span(); at <= from {
				if !machines[0].Vague || machines[0].Is(arch) {
					all = append(all, span{at, end})
				}
				machines, from = machines[1:], max(from, end)
				continue
			}
		}
		end := from
		for end < len(text) && isWord(text[end]) {
			end++
		}
		if isSystemWord(strings.ToLower(text[from:end])) {
			all = append(all, span{from, end})
		}
		from = max(end, from+1)
	}
	return all
}

func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }

// joinSpans joins spans that are separated by one character.
func joinSpans(text string, all []span) (some []span) {
	for _, s := range all {
		if n := len(some); n > 0 && s.from-some[n-1].to <= 1 && !strings.Contains(text[some[n-1].to:s.from], ".") {
			some[n-1].to = s.to
			continue
		}
		some = append(some, s)
	}
	return some
}

// isSystemWord reports whether a word in lower case names a system, distribution or libc.
func isSystemWord(word string) bool {
	switch word {
	case "linux", "linuxmusl", "linuxglibc", "gnu", "glibc", "musl", "gnueabihf", "gnueabi", "musleabihf", "musleabi",
		"unknown", "pc", "manylinux", "musllinux", "manylinux1", "manylinux2010", "manylinux2014",
		"debian", "ubuntu", "rhel", "centos", "alpine",
		"win", "win10", "win7", "win32", "win64", "windows", "mingw32", "mswin", "msvc",
		"darwin", "macos", "macosx", "osx", "osx10", "mac", "apple", "ios",
		"freebsd", "openbsd", "netbsd", "dragonfly", "sunos", "solaris", "illumos", "aix", "hpux", "android",
		"linux64", "linux32":
		return true
	}
	return false
}

// slot returns what a path has in common with those of the same file for other platforms: its directories with such
// words masked, and its name up to the first such word. ok reports whether there was such a word.
func (m masks) slot(path, arch string) (slot string, ok bool) {
	parts := strings.Split(path, "/")
	last := len(parts) - 1
	for i := range parts {
		short := m.mask(parts[i], arch)
		ok = ok || short != parts[i]
		parts[i] = short
	}
	if before, _, found := strings.Cut(parts[last], "*"); found && before != "" {
		parts[last] = before
	}
	return strings.Join(parts, "/"), ok
}
