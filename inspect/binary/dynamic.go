package binary

import (
	"bytes"
	"debug/elf"
	"slices"
)

// Dynamic is what a program or library tells its loader to look for. https://gabi.xinuos.com/elf/08-dynamic.html
type Dynamic struct {
	Needed []string `json:"needed,omitempty"` // DT_NEEDED, the first 512
	// RPath and RunPath are lists of directories, parted by colons, as they stand.
	RPath   string `json:"rpath,omitempty"`
	RunPath string `json:"runpath,omitempty"`
}

// The bounds of what is kept of one file.
const (
	maxNeeded  = 512      // names
	maxName    = 512      // bytes of a name or a list of directories
	maxTexts   = 64 << 10 // bytes of the texts that pass and may be such names
	maxDynamic = 8 << 10  // bytes that are read of the table
)

// dynamics reads the table of a file that passes. Its names stand in a table of texts, which linkers put in front of
// it, among what is loaded first, and tools that change a file behind it. So what looks like a name is kept as it
// passes, until the table tells which of them count; those behind it are taken as they pass.
type dynamics struct {
	wanted bool          // there is a table
	loads  [8]stretch    // what is loaded
	n      int           // loads
	texts  []text        // in their order
	bytes  int           // of all texts
	pos    int64         // what lies before has been looked at
	until  int64         // where the last name ends, as far as is known
	names  []dynamicName // that the table asks for
}

type text struct {
	off int64
	s   string
}

// dynamicName is what one entry of the table asks for.
type dynamicName struct {
	off int64
	tag elf.DynTag
	s   string
}

func (d *dynamics) load(s stretch) {
	if d.n < len(d.loads) && s.from >= 0 && s.to > s.from && s.to < maxOffset {
		d.loads[d.n] = s
		d.n++
	}
}

// offset is where an address is in the file; -1: nowhere.
func (d *dynamics) offset(addr int64) int64 {
	for _, s := range d.loads[:d.n] {
		if addr >= s.addr && addr-s.addr < s.to-s.from {
			return s.from + addr - s.addr
		}
	}
	return -1
}

// see takes what looks like a name, and the names behind the table.
func (d *dynamics) see(off int64, b []byte) bool {
	for i := range d.names {
		if n := &d.names[i]; n.s == "" && n.off >= off && n.off < off+int64(len(b)) {
			n.s, _ = cut(b[n.off-off:])
		}
	}
	if !d.wanted || d.n == 0 || d.names != nil {
		return off+int64(len(b)) < d.until
	}
	from := max(0, d.pos-off)
	to := min(int64(len(b)), d.loads[0].to-off)
	if from < to {
		for _, hint := range []string{".so", "ORIGIN", "/lib"} {
			d.look(off, b[:to], int(from), hint)
		}
		d.pos = max(d.pos, off+to-overlap/2) // a name that straddles the end is whole in the next window
	}
	return true
}

// cut is the text at the beginning of b, if it ends there.
func cut(b []byte) (string, bool) {
	end := bytes.IndexByte(b[:min(len(b), maxName)], 0)
	if end < 0 {
		return "", false
	}
	return string(b[:end]), true
}

// look keeps the texts in b that have a hint, whole ones only.
func (d *dynamics) look(off int64, b []byte, from int, hint string) {
	for from < len(b) && d.bytes < maxTexts {
		i := bytes.Index(b[from:], []byte(hint))
		if i < 0 {
			return
		}
		low := max(0, from+i-maxName)
		start := low + bytes.LastIndexByte(b[low:from+i], 0) + 1
		s, ok := cut(b[start:])
		if ok && (start > low || off+int64(low) == 0) {
			d.texts = append(d.texts, text{off + int64(start), s})
			d.bytes += len(s) + 1
		}
		from += i + len(hint)
		if end := bytes.IndexByte(b[from:], 0); end > 0 {
			from += end
		}
	}
}

// dynamic reads the table itself.
func (e *elfFile) dynamic(p part) error {
	width := e.header.bits / 8
	var names []dynamicName
	b := e.at(p.off, int(max(0, min(p.size, maxDynamic))))
	var table int64 = -1
	for ; len(b) >= 2*width && len(names) < maxNeeded; b = b[2*width:] {
		value := e.header.word(b[width:])
		tag := elf.DynTag(e.header.word(b))
		if tag == elf.DT_NULL {
			break
		}
		switch tag { //nolint:exhaustive // the others are of no interest
		case elf.DT_STRTAB:
			table = e.dyn.offset(value)
		case elf.DT_NEEDED, elf.DT_RPATH, elf.DT_RUNPATH:
			names = append(names, dynamicName{off: value, tag: tag})
		}
	}
	e.show() // what came in the same page as the table
	for i := range names {
		n := &names[i]
		if table < 0 || n.off < 0 || n.off > maxOffset-table {
			n.off = -1
			continue
		}
		n.off += table
		e.dyn.until = max(e.dyn.until, n.off+maxName)
		n.s = e.dyn.passed(n.off)
	}
	e.dyn.names = names
	return nil
}

// passed is the text at an offset that has passed; a name may be the end of another one.
func (d *dynamics) passed(off int64) string {
	for _, t := range d.texts {
		if off >= t.off && off < t.off+int64(len(t.s)) {
			return t.s[off-t.off:]
		}
	}
	return ""
}

// into adds what was found to a fact.
func (d *dynamics) into(f *Fact) {
	var found Dynamic
	for _, n := range d.names {
		switch {
		case n.s == "":
			f.Incomplete = f.Incomplete || n.off >= 0
		case n.tag == elf.DT_NEEDED && !slices.Contains(found.Needed, n.s):
			found.Needed = append(found.Needed, n.s)
		case n.tag == elf.DT_RPATH:
			found.RPath = n.s
		case n.tag == elf.DT_RUNPATH:
			found.RunPath = n.s
		}
	}
	if found.Needed != nil || found.RPath+found.RunPath != "" {
		f.Dynamic = &found
	}
}
