package rootfs_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// entry is an entry of a random layer, valid or not.
type entry struct {
	header  tar.Header
	content string
}

func (e entry) String() string {
	h := e.header
	s := fmt.Sprintf("%q type %q mode %o", h.Name, h.Typeflag, h.Mode)
	if h.Linkname != "" {
		s += fmt.Sprintf(" -> %q", h.Linkname)
	}
	if len(h.PAXRecords) > 0 {
		s += fmt.Sprintf(" %q", h.PAXRecords)
	}
	return s
}

// packed returns the tar of a layer, without entries that a tar cannot store.
func packed(entries []entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := e.header
		if h.Size = int64(len(e.content)); w.WriteHeader(&h) == nil {
			_, _ = w.Write([]byte(e.content))
		}
	}
	_ = w.Close()
	return b.Bytes()
}

// sequences makes random layers with few different names, so that entries conflict. They depend only on the seed.
type sequences struct {
	*rand.Rand

	programs int
	seen     []string // names of earlier entries
	files    []string // names of programs
	dirs     []string // names of directories and links
	below    int      // how many of seen are in lower layers
	often    int      // a kind of entry to make more often; 0: none
}

func (s *sequences) layers() [][]entry {
	all := make([][]entry, 2+s.IntN(3))
	for i := range all {
		s.below = len(s.seen)
		for range 1 + s.IntN(6) {
			all[i] = append(all[i], s.entry(i))
		}
	}
	return all
}

// dir returns the name of a directory with a slash, usually an earlier one, or "".
func (s *sequences) dir() string {
	switch {
	case len(s.dirs) > 0 && s.IntN(3) > 0:
		return s.one(s.dirs) + "/"
	case s.IntN(8) == 0:
		return s.word("abcdef") + "/"
	case s.IntN(4) == 0:
		return s.word("ab") + "/"
	}
	return ""
}

// name returns a name: one letter of words in a directory, or that of an earlier entry.
func (s *sequences) name(words string) string {
	switch {
	case s.IntN(20) == 0:
		words = "abcdef"
	case len(s.seen) > 0 && s.IntN(8) == 0:
		return s.one(s.seen)
	case len(s.seen) > 0 && s.IntN(40) == 0:
		return s.one(s.seen) + "/" + s.word(words)
	}
	return s.dir() + s.word(words)
}

// lower returns a name, usually from a lower layer.
func (s *sequences) lower() string {
	if s.below == 0 || s.IntN(6) == 0 {
		return s.name("abcdef")
	}
	name := s.one(s.seen[:s.below])
	for range 3 {
		if !slices.Contains(s.seen[s.below:], name) {
			break
		}
		name = s.one(s.seen[:s.below])
	}
	return name
}

func (s *sequences) one(names []string) string { return names[s.IntN(len(names))] }

func (s *sequences) word(of string) string { return string(of[s.IntN(len(of))]) }

// spelled returns one of the spellings of a name.
func (s *sequences) spelled(name string) string {
	switch s.IntN(60) {
	case 0:
		return "./" + name
	case 1:
		return "/" + name
	case 2:
		return strings.Replace(name, "/", "//", 1)
	case 3:
		return name + "/"
	case 4:
		return strings.Replace(name, "/", "/./", 1)
	case 5:
		return s.word("abc") + "/../" + name
	case 6:
		return "../" + name
	}
	return name
}

// target returns the target of a symbolic link.
func (s *sequences) target() string {
	name := s.name("abc")
	switch s.IntN(16) {
	case 0:
		return "/" + name
	case 1:
		return "../" + name
	case 2:
		return s.word("abc") + "/../" + name
	case 3:
		return []string{"/", ".", "..", "../.."}[s.IntN(4)]
	}
	return name
}

func (s *sequences) entry(layer int) entry {
	kind := s.IntN(1000)
	if s.often > 0 && s.IntN(8) == 0 {
		kind = s.often
	}
	if layer == 0 && kind >= 700 { // there is nothing to hide
		kind = s.IntN(700)
	}
	name := s.name("cdef")
	switch {
	case kind >= 370 && kind < 590:
		name = s.name("abc")
	case kind >= 700 && kind < 920:
		name = s.lower()
	}
	e := entry{header: tar.Header{Name: s.spelled(name), Mode: 0o755, Typeflag: tar.TypeReg, Format: tar.FormatPAX}}
	h := &e.header
	if s.IntN(16) == 0 {
		h.Mode = 0o644
	}
	dir, last := "", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		dir, last = name[:i+1], name[i+1:]
	}
	switch {
	case kind < 330:
		s.programs++
		e.content = fmt.Sprintf("program %d", s.programs)
		s.files = append(s.files, name)
	case kind < 370:
		e.content = "text"
	case kind < 590:
		h.Typeflag = tar.TypeDir
		s.dirs = append(s.dirs, name)
	case kind < 670:
		h.Typeflag, h.Linkname = tar.TypeSymlink, s.target()
		s.dirs = append(s.dirs, name)
	case kind < 700 && len(s.files) > 0:
		h.Typeflag, h.Linkname = tar.TypeLink, s.spelled(s.one(s.files))
	case kind < 850:
		h.Name = s.spelled(dir + whiteout + last)
	case kind < 900:
		h.Name = s.spelled(name + "/" + opaque)
	case kind < 920:
		h.Name = s.spelled(opaque)
	case kind <= device:
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeChar, 1, 3
	case kind < 930:
		h.Typeflag = tar.TypeChar
	case kind <= globalHeader:
		*h = tar.Header{Name: name, Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}
	case kind <= attribute:
		h.Typeflag, h.PAXRecords = tar.TypeDir, map[string]string{"SCHILY.xattr.trusted.overlay.opaque": "y"}
	case kind < 957:
		h.Name = s.spelled(dir + whiteout + whiteout + last)
	default:
		h.Typeflag = tar.TypeDir
		s.dirs = append(s.dirs, name)
	}
	s.seen = append(s.seen, name)
	return e
}

// Kinds of entries that are rare.
const (
	device       = 924
	globalHeader = 944
	attribute    = 951
)

const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)
