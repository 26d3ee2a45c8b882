package binary

import (
	"bytes"
	"strings"
)

// goInfo finds Go's build information in a stream: the version of the toolchain and its settings. They have their own
// section, but section names come at the end of a file. So it searches where debug/buildinfo does without sections:
// in the data segments, for the magic, at addresses divisible by 16. Programs older than Go 1.18 have pointers there
// instead, and no settings.
type goInfo struct {
	found     Go
	ranges    [4]span // the data segments
	n         int     // ranges
	scanned   int64   // what lies before has been looked at
	state     goState
	remaining int64 // bytes of the settings that remain
	line      [maxSetting]byte
	lineLen   int // bytes in line; more than its size: the line is too long to matter
}

type goState int

const (
	goSearching goState = iota
	goReading           // the settings are passing
	goDone
)

// maxSetting is longer than nearly any line that matters: "build\tGORISCV64=rva22u64", "path\texample.com/cmd/tool".
const maxSetting = 256

// span is a part of the file and its load address.
type span struct{ from, to, addr int64 }

// addRange adds a range to search.
func (g *goInfo) addRange(from, to, addr int64) {
	if g.n < len(g.ranges) {
		g.ranges[g.n] = span{from, to, addr}
		g.n++
	}
}

// see scans the bytes after those that it has seen.
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
	// goHeader is the length of what precedes the version: magic, pointer size, flags, padding.
	goHeader = 32
	goAlign  = 16
	// goSentinel is the length of the mark before the settings.
	goSentinel = 16
	goInline   = 2 // the flag for texts in place of pointers
	// maxVersion limits a version with experiments: "go1.27-devel_0123456789 Wed Jan 1 00:00:00 2027 +0000 X:a,b".
	maxVersion = 256
)

// search looks for the magic in every range.
func (g *goInfo) search(off int64, b []byte) {
	end := off + int64(len(b))
	for _, d := range g.ranges[:g.n] {
		from, to := max(d.from, g.scanned, off), min(d.to, end)
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
		// A magic or version that crosses the end is found in the next window.
		g.scanned = max(g.scanned, end-overlap/2)
	}
}

// begin reads the version and finds the start of the settings, which must end before the offset to, the end of the
// data segment. If there is no version of Go, the magic was accidental.
func (g *goInfo) begin(off int64, b []byte, to int64) {
	if len(b) <= goHeader || b[len(goMagic)+1]&goInline == 0 {
		return
	}
	size, rest, ok := uleb(b[goHeader:])
	if !ok || size > maxVersion || int(size) > len(rest) {
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
	g.state, g.remaining, g.scanned = goReading, int64(length)-skip, at+skip
}

// read reads the settings line by line, so that their total length does not matter.
func (g *goInfo) read(off int64, b []byte) {
	b = b[max(0, min(g.scanned-off, int64(len(b)))):]
	b = b[:min(int64(len(b)), g.remaining)]
	g.scanned += int64(len(b))
	g.remaining -= int64(len(b))
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte{'\n'})
		if g.lineLen+len(line) <= len(g.line) {
			copy(g.line[g.lineLen:], line)
		}
		g.lineLen = min(g.lineLen+len(line), len(g.line)+1)
		if ended {
			g.setting()
			g.lineLen = 0
		}
		b = rest
	}
	if g.remaining == 0 {
		g.state = goDone
	}
}

// setting parses one line of settings.
func (g *goInfo) setting() {
	if g.lineLen > len(g.line) {
		return
	}
	kind, line, _ := bytes.Cut(g.line[:g.lineLen], []byte{'\t'})
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

// addTo adds what was found to a fact. A level counts only if Go built for the machine of the file.
func (g *goInfo) addTo(f *Fact) {
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
		f.raiseBaseline("v"+level, FromGo)
		if f.Float == "" {
			f.Float = armGoFloat(level, float)
		}
	case "mips", "mipsle", "mips64", "mips64le":
		f.Float = Float(strings.TrimSuffix(level, "float"))
	default:
		f.raiseBaseline(level, FromGo)
	}
}

// armGoFloat returns whether the code has floating-point instructions. With GOARM=5 it calls functions instead,
// unless hardfloat is set.
func armGoFloat(level, float string) Float {
	if float == "softfloat" || float == "" && level == "5" {
		return Soft
	}
	return Hard
}
