package rootfs

import (
	"archive/tar"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mtool/registry"
)

// tableEntry has the used members of a row: a file, or a further chunk of the previous file.
type tableEntry struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	LinkName    string `json:"linkName"`
	Mode        int64  `json:"mode"`
	Size        int64  `json:"size"`
	Digest      string `json:"digest"` // of the whole file
	Offset      int64  `json:"offset"` // where the compressed bytes begin
	InnerOffset int64  `json:"innerOffset"`
	ChunkOffset int64  `json:"chunkOffset"`
	ChunkSize   int64  `json:"chunkSize"` // 0: to the end of the file
	ChunkDigest string `json:"chunkDigest"`
	ChunkType   string `json:"chunkType"` // "zeros": nothing is stored
	Devmajor    int64  `json:"devMajor"`
	Devminor    int64  `json:"devMinor"`

	Xattrs map[string]json.RawMessage `json:"xattrs"`
}

// header returns the entry as a tar header.
func (e tableEntry) header() (tar.Header, error) {
	kind, ok := map[string]byte{
		"dir": tar.TypeDir, "reg": tar.TypeReg, "symlink": tar.TypeSymlink, "hardlink": tar.TypeLink,
		"char": tar.TypeChar, "block": tar.TypeBlock, "fifo": tar.TypeFifo,
	}[e.Type]
	if !ok || e.Size < 0 {
		return tar.Header{}, fmt.Errorf("%w: entry %q of type %q and size %d", registry.ErrContent, e.Name, e.Type, e.Size)
	}
	h := tar.Header{
		Typeflag: kind, Name: e.Name, Linkname: e.LinkName, Mode: e.Mode & 0o7777, Size: e.Size, Devmajor: e.Devmajor,
		Devminor: e.Devminor,
	}
	for name := range e.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[xattr+name] = ""
	}
	return h, nil
}

// part is a part of a file.
type part struct {
	off, inner int64 // where the compressed bytes begin, and the piece in what they unpack to
	size       int64
	digest     [32]byte
	zeros      bool
}

// part returns the part that the entry describes, of a file of size bytes in a layer of whole bytes.
func (e tableEntry) part(size, whole int64) (part, error) {
	p := part{off: e.Offset, inner: e.InnerOffset, size: e.ChunkSize, zeros: e.ChunkType == "zeros"}
	if p.size == 0 {
		p.size = size - e.ChunkOffset
	}
	if p.off < 0 || p.off >= whole || p.inner < 0 || p.size <= 0 || e.ChunkOffset < 0 || e.ChunkOffset > size-p.size {
		return part{}, fmt.Errorf("%w: a chunk of %d bytes at %d, of a file of %d", registry.ErrContent, p.size,
			e.ChunkOffset, size)
	}
	digest := e.ChunkDigest
	if digest == "" && p.size == size {
		digest = e.Digest
	}
	if p.zeros {
		return p, nil
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil || len(sum) != len(p.digest) {
		return part{}, fmt.Errorf("%w: digest %q of a chunk", registry.ErrContent, digest)
	}
	copy(p.digest[:], sum)
	return p, nil
}

// readTable passes the entries of a table to add, one by one: {"version":1,"entries":[…]}.
func readTable(r io.Reader, add func(tableEntry) error) error {
	d := json.NewDecoder(&entryLimiter{r: r})
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return fmt.Errorf("%w: the table begins with %v", registry.ErrContent, first)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return contentError(err)
		}
		if key != "entries" {
			var other json.RawMessage
			if err = d.Decode(&other); err != nil {
				err = contentError(err)
			}
		} else {
			err = readEntries(d, add)
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return contentError(err)
	}
	return nil
}

func readEntries(d *json.Decoder, add func(tableEntry) error) error {
	switch first, err := d.Token(); {
	case err != nil:
		return contentError(err)
	case first == nil:
		return nil // null is an empty list
	case first != json.Delim('['):
		return fmt.Errorf("%w: the table's entries are %v", registry.ErrContent, first)
	}
	for d.More() {
		var e tableEntry
		if err := d.Decode(&e); err != nil {
			return contentError(err)
		}
		if err := add(e); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return contentError(err)
	}
	return nil
}

// entryLimiter refuses JSON with large entries: a decoder keeps a value in memory until it is complete.
type entryLimiter struct {
	r       io.Reader
	depth   int
	quoted  bool
	escaped bool
	run     int // bytes since the last entry ended
	all     int
}

const (
	maxEntry     = 1 << 20 // of JSON
	maxTableText = 512 << 20
	// entriesDepth is the nesting depth between entries.
	entriesDepth = 2
)

func (g *entryLimiter) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if g.all += n; g.all > maxTableText {
		return 0, &LimitError{What: "bytes of a table of contents", Limit: maxTableText}
	}
	for _, c := range p[:n] {
		if g.run++; g.run > maxEntry {
			return 0, &LimitError{What: "bytes of an entry of a table of contents", Limit: maxEntry}
		}
		g.pass(c)
	}
	return n, err
}

func (g *entryLimiter) pass(c byte) {
	switch {
	case g.escaped:
		g.escaped = false
	case g.quoted:
		g.escaped, g.quoted = c == '\\', c != '"'
	case c == '"':
		g.quoted = true
	case c == '{' || c == '[':
		g.depth++
	case c == '}' || c == ']':
		if g.depth--; g.depth <= entriesDepth {
			g.run = 0
		}
	}
}
