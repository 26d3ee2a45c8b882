package rootfs

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// TableFacts is the result of comparing a whole layer with its table of contents. Lazily pulling runtimes show the
// files in the table, others those in the tar: if the two differ, the image has two contents.
type TableFacts struct {
	Digest string `json:"digest"` // as in the manifest
	// Differs says where the table differs from the tar; "" if it does not.
	Differs string `json:"differs,omitempty"`
	// Unread says why the two were not compared; "" if they were.
	Unread string `json:"unread,omitempty"`
}

// streamRanges reads parts of blobs from a source that only has whole ones, which is cheap if it is on this machine.
type streamRanges struct{ Blobs }

func (s streamRanges) Range(ctx context.Context, d v1.Descriptor, off, n int64) (io.ReadCloser, error) {
	r, err := s.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, off); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(r, n), r}, nil
}

// comparison compares a layer with its table of contents, entry by entry.
type comparison struct {
	facts TableFacts
	rows  map[string]*tableRow
	wrong map[string]string // what differs, by name; the last entry of a name counts
	row   *tableRow         // of the entry that is being read
}

// tableRow is what a table says about a name.
type tableRow struct {
	kind     byte
	target   string
	runnable bool
	size     int64
	parts    []part
	found    bool
}

// newComparison reads the table of a layer; nil if it has none.
func newComparison(ctx context.Context, l LayerSource, o Options, p *memoryBudget) *comparison {
	digest := TableDigest(l.Descriptor)
	if digest == "" || readable(l.Descriptor) != nil {
		return nil
	}
	c := &comparison{facts: TableFacts{Digest: digest}, wrong: map[string]string{}}
	open := func(ranges Ranges) error {
		c.rows = map[string]*tableRow{}
		return (&Table{ranges: ranges, layer: l.Descriptor, options: o, rows: c.rows}).open(ctx, p)
	}
	var err error
	if ranges, ok := l.Source.(Ranges); ok {
		err = open(ranges)
	} else {
		err = open(streamRanges{l.Source})
	}
	if errors.Is(err, registry.ErrNoRanges) {
		err = open(streamRanges{l.Source})
	}
	switch {
	case err == nil:
	case errors.Is(err, registry.ErrContent), errors.Is(err, errNoTable), errors.Is(err, ErrUnchecked):
		c.facts.Differs, c.rows = err.Error(), nil
	default:
		c.facts.Unread, c.rows = err.Error(), nil
	}
	return c
}

// entry compares all but the content.
func (c *comparison) entry(name string, h *tar.Header) {
	if c == nil {
		return
	}
	if c.row = nil; c.rows == nil || name == "stargz.index.json" {
		return
	}
	row := c.rows[name]
	delete(c.wrong, name)
	switch {
	case row == nil:
		c.wrong[name] = "it is not in the table"
		return
	case row.kind != kindOf(h.Typeflag), row.target != targetOf(h),
		row.kind == tar.TypeReg && (row.size != h.Size || row.runnable != (h.Mode&0o111 != 0)):
		c.wrong[name] = "the table describes it differently"
	case row.kind == tar.TypeReg:
		c.row = row
	}
	row.found = true
}

// targetOf returns the target of a link. Those of hard links are written with and without a leading slash.
func targetOf(h *tar.Header) string {
	if h.Typeflag == tar.TypeLink {
		return clean(h.Linkname)
	}
	return h.Linkname
}

func kindOf(flag byte) byte {
	switch flag {
	case '\x00', tar.TypeCont, tar.TypeGNUSparse:
		return tar.TypeReg
	}
	return flag
}

// content returns a reader that compares a file with the table; nil if it is not in the table.
func (c *comparison) content(name string, r io.Reader) *partHasher {
	if c == nil || c.row == nil {
		return nil
	}
	return &partHasher{r: r, rest: c.row.parts, hash: sha256.New(), zeros: true, differs: func() {
		c.wrong[name] = "the table describes its content differently"
	}}
}

// result returns the first difference.
func (c *comparison) result() *TableFacts {
	if c == nil {
		return nil
	}
	for name, row := range c.rows {
		if !row.found {
			c.wrong[name] = "the layer has no such file"
		}
	}
	if names := slices.Sorted(maps.Keys(c.wrong)); len(names) > 0 {
		c.facts.Differs = fmt.Sprintf("/%s: %s", names[0], c.wrong[names[0]])
		if len(names) > 1 {
			c.facts.Differs += fmt.Sprintf(", and %d more", len(names)-1)
		}
	}
	return &c.facts
}

// partHasher hashes a file part by part, as the table lists them.
type partHasher struct {
	r       io.Reader
	rest    []part
	n       int64 // bytes read of the first of them
	hash    hash.Hash
	zeros   bool // all of its bytes are zero
	differs func()
}

func (p *partHasher) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.pass(b[:n])
	return n, err
}

func (p *partHasher) pass(b []byte) {
	for len(b) > 0 && len(p.rest) > 0 {
		piece := p.rest[0]
		now := b[:min(int64(len(b)), piece.size-p.n)]
		b = b[len(now):]
		_, _ = p.hash.Write(now) // a hash never fails
		p.zeros = p.zeros && len(bytes.Trim(now, "\x00")) == 0
		if p.n += int64(len(now)); p.n < piece.size {
			return
		}
		if piece.zeros && !p.zeros || !piece.zeros && !bytes.Equal(p.hash.Sum(nil), piece.digest[:]) {
			p.differs()
		}
		p.rest, p.n, p.zeros = p.rest[1:], 0, true
		p.hash.Reset()
	}
	if len(b) > 0 {
		p.differs()
	}
}

// finish reads the rest after the Examiner.
func (p *partHasher) finish() {
	if _, err := io.Copy(io.Discard, p); err == nil && len(p.rest) > 0 {
		p.differs()
	}
}
