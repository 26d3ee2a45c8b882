package binary

import (
	"bytes"
	"debug/elf"
	"slices"
)

// Dynamic is what a program or library tells its loader to find. https://gabi.xinuos.com/elf/08-dynamic.html
type Dynamic struct {
	Needed []string `json:"needed,omitempty"` // DT_NEEDED, the first 512
	// RPath and RunPath are lists of directories, separated by colons, verbatim.
	RPath   string `json:"rpath,omitempty"`
	RunPath string `json:"runpath,omitempty"`
}

// Limits of what is kept of one file.
const (
	maxNeeded  = 512      // names
	maxName    = 512      // bytes of a name or a list of directories
	maxTexts   = 64 << 10 // bytes of the texts that may be such names
	maxDynamic = 8 << 10  // bytes of the table that are read
)

// dynamics reads the dynamic table of a stream. The names are in a string table, which linkers put before the dynamic
// table, in the first loaded segment, and which tools that change a file put after it. So texts that look like names
// are kept until the dynamic table tells which of them count; names after it are read directly.
type dynamics struct {
	wanted  bool          // there is a table
	loads   [8]span       // the loaded segments
	n       int           // loads
	texts   []text        // in file order
	bytes   int           // of all texts
	scanned int64         // what lies before has been looked at
	until   int64         // the end of the last known name
	names   []dynamicName // the names in the table
}

type text struct {
	off int64
	s   string
}

// dynamicName is one entry of the table with a name.
type dynamicName struct {
	off int64
	tag elf.DynTag
	s   string
}

func (d *dynamics) addLoad(s span) {
	if d.n < len(d.loads) && s.from >= 0 && s.to > s.from && s.to < maxOffset {
		d.loads[d.n] = s
		d.n++
	}
}

// offset returns the file offset of an address; -1 if it is not in the file.
func (d *dynamics) offset(addr int64) int64 {
	for _, s := range d.loads[:d.n] {
		if addr >= s.addr && addr-s.addr < s.to-s.from {
			return s.from + addr - s.addr
		}
	}
	return -1
}

// see keeps texts that look like names, and reads the names after the table.
func (d *dynamics) see(off int64, b []byte) bool {
	for i := range d.names {
		if n := &d.names[i]; n.s == "" && n.off >= off && n.off < off+int64(len(b)) {
			n.s, _ = cut(b[n.off-off:])
		}
	}
	if !d.wanted || d.n == 0 || d.names != nil {
		return off+int64(len(b)) < d.until
	}
	from := max(0, d.scanned-off)
	to := min(int64(len(b)), d.loads[0].to-off)
	if from < to {
		for _, hint := range []string{".so", "ORIGIN", "/lib"} {
			d.findNames(off, b[:to], int(from), hint)
		}
		d.scanned = max(d.scanned, off+to-overlap/2) // a name that crosses the end is complete in the next window
	}
	return true
}

// cut returns the text at the beginning of b, if its end is within b.
func cut(b []byte) (string, bool) {
	end := bytes.IndexByte(b[:min(len(b), maxName)], 0)
	if end < 0 {
		return "", false
	}
	return string(b[:end]), true
}

// findNames keeps the texts in b that contain a hint, if they are complete.
func (d *dynamics) findNames(off int64, b []byte, from int, hint string) {
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

// dynamic reads the dynamic table.
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
	e.show() // show the bytes in the same page as the table
	for i := range names {
		n := &names[i]
		if table < 0 || n.off < 0 || n.off > maxOffset-table {
			n.off = -1
			continue
		}
		n.off += table
		e.dyn.until = max(e.dyn.until, n.off+maxName)
		n.s = e.dyn.textAt(n.off)
	}
	e.dyn.names = names
	return nil
}

// textAt returns the kept text at an offset. A name may be the end of another one.
func (d *dynamics) textAt(off int64) string {
	for _, t := range d.texts {
		if off >= t.off && off < t.off+int64(len(t.s)) {
			return t.s[off-t.off:]
		}
	}
	return ""
}

// addTo adds what was found to a fact.
func (d *dynamics) addTo(f *Fact) {
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
