package deep

import (
	"fmt"
	"path"
	"strings"
)

// Limits, since the label comes from the image, and each of its patterns is matched with the path of each foreign
// file.
const (
	maxGlob  = 256 // bytes of a pattern
	maxGlobs = 16  // patterns of a label
)

// Glob is a pattern of paths for Options.AllowForeign: * and ? stop at a slash, ** does not, [a-z] is a class. A
// pattern that ends in a slash covers everything below it.
//
// Matching goes through the path once, with the set of all positions in the pattern that may have been reached. So
// the time depends on the length of the path alone, whatever the pattern is.
type Glob struct {
	text string
	end  int // the last position: the pattern has matched
	// advance has, for each byte, the positions from which it leads to the next one; stay has those at which it remains.
	advance, stay [256]positions
	// stars are the positions that may be left without a byte. folders are the positions before an optional folder: the
	// next position is within the folder, the one after that behind it.
	stars, folders positions
}

// ParseGlob parses a pattern of up to 256 bytes. It ignores leading slashes; a pattern without any other character is
// an error.
func ParseGlob(text string) (Glob, error) {
	clean := strings.TrimLeft(strings.TrimSpace(text), "/")
	if len(text) > maxGlob {
		return Glob{}, fmt.Errorf("reading pattern %.20q…: it has %d bytes, the limit is %d", text, len(text), maxGlob)
	}
	if clean == "" {
		return Glob{}, fmt.Errorf("reading pattern %q: it is empty", text)
	}
	if _, err := path.Match(clean, ""); err != nil {
		return Glob{}, fmt.Errorf("reading pattern %q: %w", text, err)
	}
	if strings.HasSuffix(clean, "/") {
		clean += "**"
	}
	// repeated stars match no more than one does
	for _, repeated := range [][2]string{{"***", "**"}, {"**/**/", "**/"}} {
		for strings.Contains(clean, repeated[0]) {
			clean = strings.ReplaceAll(clean, repeated[0], repeated[1])
		}
	}
	g := Glob{text: text}
	for rest := clean; rest != ""; {
		rest = rest[g.add(rest):]
	}
	return g, nil
}

// add adds the first element of a pattern, as path.Match understands it, and returns its length in bytes.
func (g *Glob) add(rest string) int {
	switch {
	case strings.HasPrefix(rest, "**/"):
		g.folders.put(g.end)
		g.end++
		g.each(func(byte) bool { return true }, &g.stay)
		g.advance['/'].put(g.end)
		g.end++
		return len("**/")
	case strings.HasPrefix(rest, "**"):
		g.stars.put(g.end)
		g.each(func(byte) bool { return true }, &g.stay)
		g.end++
		return len("**")
	case rest[0] == '*':
		g.stars.put(g.end)
		g.each(func(c byte) bool { return c != '/' }, &g.stay)
		g.end++
		return 1
	case rest[0] == '?':
		g.addRune(func(c byte) bool { return c != '/' })
		return 1
	case rest[0] == '[':
		class := rest[:classEnd(rest)]
		g.addRune(func(c byte) bool { ok, _ := path.Match(class, string(rune(c))); return ok })
		return len(class)
	case rest[0] == '\\':
		g.advance[rest[1]].put(g.end)
		g.end++
		return len(`\*`)
	}
	g.advance[rest[0]].put(g.end)
	g.end++
	return 1
}

// each adds the current position to the sets of the bytes for which in returns true.
func (g *Glob) each(in func(byte) bool, sets *[256]positions) {
	for c := range sets {
		if in(byte(c)) {
			sets[c].put(g.end)
		}
	}
}

// addRune adds a position that a whole character advances: at the next one, the remaining bytes of a character
// outside ASCII are skipped. A class can match such characters only by negation.
func (g *Glob) addRune(in func(byte) bool) {
	begins := func(c byte) bool { return c < 0x80 || c >= 0xc0 }
	g.each(func(c byte) bool { return begins(c) && in(c) }, &g.advance)
	g.end++
	g.each(func(c byte) bool { return !begins(c) }, &g.stay)
}

// classEnd returns the length of the class that rest begins with. Its first character may be a closing bracket.
func classEnd(rest string) int {
	first := 1
	if rest[first] == '^' {
		first++
	}
	for i := first; ; i++ {
		switch {
		case rest[i] == '\\':
			i++
		case rest[i] == ']' && i > first:
			return i + 1
		}
	}
}

// String returns the pattern as it was written.
func (g Glob) String() string { return g.text }

// Match reports whether the pattern covers a path without a leading slash.
func (g *Glob) Match(path string) bool {
	if g.end == 0 {
		return false
	}
	var at, none positions
	at.put(0)
	g.step(&at, &none, &at)
	for i := range len(path) {
		g.step(&at, &g.advance[path[i]], &g.stay[path[i]])
		if at == none {
			return false
		}
	}
	return at.has(g.end)
}

// step consumes a byte: it goes from the positions that the byte advances to the next ones, and from there to all
// that can be reached without a byte.
func (g *Glob) step(at, advance, stay *positions) {
	var advanceCarry, folderCarry, behindCarry, starCarry uint64 // the bits that each shift carries into the next word
	for i := range g.end/64 + 1 {
		advanced := at[i] & advance[i]
		word := advanced<<1 | advanceCarry | at[i]&stay[i]
		optional := word & g.folders[i]
		folder := optional<<1 | folderCarry
		word |= folder | folder<<1 | behindCarry
		star := word & g.stars[i]
		word |= star<<1 | starCarry
		advanceCarry, folderCarry, behindCarry, starCarry = advanced>>63, optional>>63, folder>>63, star>>63
		at[i] = word
	}
}

// positions is a set of positions in a pattern.
type positions [maxGlob/64 + 1]uint64

func (p *positions) put(i int)      { p[i/64] |= 1 << (i % 64) }
func (p *positions) has(i int) bool { return p[i/64]&(1<<(i%64)) != 0 }

func coveredByGlob(path string, globs []Glob) bool {
	for i := range globs {
		if globs[i].Match(path) {
			return true
		}
	}
	return false
}
