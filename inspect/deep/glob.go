package deep

import (
	"fmt"
	"path"
	"strings"
)

// The image itself writes the label, and each of its patterns is held against the path of each foreign file.
const (
	maxGlob  = 256 // bytes of a pattern
	maxGlobs = 16  // patterns of a label
)

// Glob is a pattern of paths, as Options.AllowForeign has them: * and ? stop at a slash, ** does not, [a-z] is a class.
// A pattern that ends in a slash covers everything below it.
//
// Matching goes through the path once, with the set of all places of the pattern that may have been reached: its time
// depends on the length of the path alone, whatever the pattern is.
type Glob struct {
	text   string
	places int // of the last one, at which the pattern is matched
	// takes has, for each byte, the places from which it leads to the next place; stays those which it does not leave.
	takes, stays [256]places
	// spare are the places that may be left without a byte: stars. maybe are those before a folder that need not be there:
	// the next place is within the folder, the one after it behind.
	spare, maybe places
}

// ParseGlob reads a pattern of up to 256 bytes. A leading slash is taken away; one without any other character is an
// error.
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
	// onward goes over few places that may be nothing
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

// add adds what a pattern begins with that path.Match takes, and returns how many bytes it has.
func (g *Glob) add(rest string) int {
	switch {
	case strings.HasPrefix(rest, "**/"):
		g.maybe.put(g.places)
		g.places++
		g.each(func(byte) bool { return true }, &g.stays)
		g.takes['/'].put(g.places)
		g.places++
		return len("**/")
	case strings.HasPrefix(rest, "**"):
		g.spare.put(g.places)
		g.each(func(byte) bool { return true }, &g.stays)
		g.places++
		return len("**")
	case rest[0] == '*':
		g.spare.put(g.places)
		g.each(func(c byte) bool { return c != '/' }, &g.stays)
		g.places++
		return 1
	case rest[0] == '?':
		g.addRune(func(c byte) bool { return c != '/' })
		return 1
	case rest[0] == '[':
		class := rest[:classEnd(rest)]
		g.addRune(func(c byte) bool { ok, _ := path.Match(class, string(rune(c))); return ok })
		return len(class)
	case rest[0] == '\\':
		g.takes[rest[1]].put(g.places)
		g.places++
		return len(`\*`)
	}
	g.takes[rest[0]].put(g.places)
	g.places++
	return 1
}

// each puts the place that is added into the sets of the bytes that are in.
func (g *Glob) each(in func(byte) bool, sets *[256]places) {
	for c := range sets {
		if in(byte(c)) {
			sets[c].put(g.places)
		}
	}
}

// addRune adds a place that a whole character leads to the next: the further bytes of one outside ASCII are passed over
// there. A class has no such characters, but for those that it takes by leaving others out.
func (g *Glob) addRune(in func(byte) bool) {
	begins := func(c byte) bool { return c < 0x80 || c >= 0xc0 }
	g.each(func(c byte) bool { return begins(c) && in(c) }, &g.takes)
	g.places++
	g.each(func(c byte) bool { return !begins(c) }, &g.stays)
}

// classEnd is where the class ends that rest begins with. Its first character may be a bracket.
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

// String is the pattern as it was written.
func (g Glob) String() string { return g.text }

// Match reports whether the pattern covers a path without a leading slash.
func (g *Glob) Match(path string) bool {
	if g.places == 0 {
		return false
	}
	var at, none places
	at.put(0)
	g.step(&at, &none, &at)
	for i := range len(path) {
		g.step(&at, &g.takes[path[i]], &g.stays[path[i]])
		if at == none {
			return false
		}
	}
	return at.has(g.places)
}

// step goes on by a byte: from the places that take it to those behind them, and from there to all that need none.
func (g *Glob) step(at, takes, stays *places) {
	var taken, within, behind, spared uint64 // what each shift carries into the next word
	for i := range g.places/64 + 1 {
		took := at[i] & takes[i]
		word := took<<1 | taken | at[i]&stays[i]
		maybe := word & g.maybe[i]
		folder := maybe<<1 | within
		word |= folder | folder<<1 | behind
		spare := word & g.spare[i]
		word |= spare<<1 | spared
		taken, within, behind, spared = took>>63, maybe>>63, folder>>63, spare>>63
		at[i] = word
	}
}

// places is a set of places in a pattern.
type places [maxGlob/64 + 1]uint64

func (p *places) put(i int)      { p[i/64] |= 1 << (i % 64) }
func (p *places) has(i int) bool { return p[i/64]&(1<<(i%64)) != 0 }

func covered(path string, globs []Glob) bool {
	for i := range globs {
		if globs[i].Match(path) {
			return true
		}
	}
	return false
}
