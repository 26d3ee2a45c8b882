package binary

import (
	"bytes"
	"strings"
)

// goInfo finds what Go records of a build, in a file that passes: the version of the toolchain and its settings. Their
// place has a section of its own, but the names of sections stand at the end of a file. So it is looked for where
// debug/buildinfo looks when there are no sections: in the data, by its magic, at addresses divisible by 16. Programs
// older than Go 1.18 have pointers there instead, and no settings.
type goInfo struct {
	found Go
	data  [4]stretch // where it may be
	n     int        // stretches
	pos   int64      // what lies before has been looked at
	state goState
	left  int64 // how much of the settings is to come
	line  [longestSetting]byte
	held  int // how much of line is filled; more than fits: not a setting of interest
}

type goState int

const (
	goSearching goState = iota
	goReading           // the settings are passing
	goDone
)

// longestSetting is longer than nearly any line that counts: "build\tGORISCV64=rva22u64", "path\texample.com/cmd/tool".
const longestSetting = 256

// stretch is a part of the file and the address that it is loaded at.
type stretch struct{ from, to, addr int64 }

// within says where to look.
func (g *goInfo) within(from, to, addr int64) {
	if g.n < len(g.data) {
		g.data[g.n] = stretch{from, to, addr}
		g.n++
	}
}

// see looks at the bytes after those it has seen.
func (g *goInfo) see(off int64, b []byte) bool {
	if g.state == goSearching {
		g.search(off, b)
	}
	if g.state == goReading {
		g.read(off, b)
	}
	return g.state != goDone && g.n > 0
}

const (
	goMagic = "\xff Go buildinf:"
	// goHeader is the length of what stands before the version: magic, size of a pointer, flags, and nothing.
	goHeader = 32
	goAlign  = 16
	// goSentinel is the length of the mark before the settings.
	goSentinel = 16
	goInline   = 2 // the flag for texts that stand there instead of pointers
	// longestVersion bounds a version with experiments: "go1.27-devel_0123456789 Wed Jan 1 00:00:00 2027 +0000 X:a,b".
	longestVersion = 256
)

// search looks for the magic in every stretch.
func (g *goInfo) search(off int64, b []byte) {
	end := off + int64(len(b))
	for _, d := range g.data[:g.n] {
		from, to := max(d.from, g.pos, off), min(d.to, end)
		for from < to && g.state == goSearching {
			i := bytes.Index(b[from-off:to-off], []byte(goMagic))
			if i < 0 {
				break
			}
			from += int64(i)
			if (from-d.from+d.addr)%goAlign == 0 {
				g.begin(from, b[from-off:], d.to)
			}
			from++
		}
	}
	if g.state == goSearching {
		// What straddles the end, or begins so close to it that its version does, is found in the next window.
		g.pos = max(g.pos, end-overlap/2)
	}
}

// begin reads the version, and is where the settings begin, which end before that offset: what lies behind the data is
// not read. What does not look like a version is not Go's.
func (g *goInfo) begin(off int64, b []byte, to int64) {
	if len(b) <= goHeader || b[len(goMagic)+1]&goInline == 0 {
		return
	}
	size, rest, ok := uleb(b[goHeader:])
	if !ok || size > longestVersion || int(size) > len(rest) {
		return
	}
	version := string(rest[:size])
	if !strings.HasPrefix(version, "go") && !strings.HasPrefix(version, "devel") {
		return
	}
	length, settings, ok := uleb(rest[size:])
	at := off + int64(len(b)-len(settings))
	if !ok || length >= maxOffset || at+int64(length) > to {
		return
	}
	skip := min(goSentinel, int64(length))
	g.found.Version = version
	g.state, g.left, g.pos = goReading, int64(length)-skip, at+skip
}

// read takes the settings line by line, so that they may be as long as they like.
func (g *goInfo) read(off int64, b []byte) {
	b = b[max(0, min(g.pos-off, int64(len(b)))):]
	b = b[:min(int64(len(b)), g.left)]
	g.pos += int64(len(b))
	g.left -= int64(len(b))
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte{'\n'})
		if g.held+len(line) <= len(g.line) {
			copy(g.line[g.held:], line)
		}
		g.held = min(g.held+len(line), len(g.line)+1)
		if ended {
			g.setting()
			g.held = 0
		}
		b = rest
	}
	if g.left == 0 {
		g.state = goDone
	}
}

// setting takes one line of settings.
func (g *goInfo) setting() {
	if g.held > len(g.line) {
		return
	}
	kind, line, _ := bytes.Cut(g.line[:g.held], []byte{'\t'})
	if string(kind) == "path" {
		g.found.Path = string(line)
	}
	if string(kind) != "build" {
		return
	}
	key, value, _ := bytes.Cut(line, []byte{'='})
	switch string(key) {
	case "GOOS":
		g.found.OS = string(value)
	case "GOARCH":
		g.found.Arch = string(value)
	case "-buildmode":
		g.found.Mode = string(value)
	case "GOARM", "GOAMD64", "GOARM64", "GO386", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64":
		g.found.Level = string(value)
	}
}

// into adds what was found to a fact. A level is for the machine that Go built for; where that is not the machine of
// the file, it is not the file's.
func (g *goInfo) into(f *Fact) {
	if g.found == (Go{}) {
		return
	}
	found := g.found
	f.Go = &found
	if found.Arch != f.Arch {
		return
	}
	if f.OS == "" {
		f.OS = found.OS
	}
	level, float, _ := strings.Cut(found.Level, ",")
	switch f.Arch {
	case "arm":
		f.state("v"+level, FromGo)
		if f.Float == "" {
			f.Float = armGoFloat(level, float)
		}
	case "mips", "mipsle", "mips64", "mips64le":
		f.Float = Float(strings.TrimSuffix(level, "float"))
	default:
		f.state(level, FromGo)
	}
}

// armGoFloat is whether the code has floating-point instructions: those of GOARM=5 are calls, unless it is said.
func armGoFloat(level, float string) Float {
	if float == "softfloat" || float == "" && level == "5" {
		return Soft
	}
	return Hard
}
