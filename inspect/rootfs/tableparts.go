package rootfs

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"slices"

	"mtool/registry"
)

// partReader reads a file that consists of parts of its layer. A part is verified only at its end, which finish
// reads.
type partReader struct {
	ctx       context.Context //nolint:containedctx // io.Reader has no room for it, and reading sends requests
	table     *Table
	rest      []part
	current   part
	raw       io.Closer // nil: none is open
	body      io.ReadCloser
	remaining int64 // of the part
	hash      hash.Hash
	failed    error
}

func newPartReader(ctx context.Context, t *Table, parts []part) *partReader {
	return &partReader{ctx: ctx, table: t, rest: parts, hash: sha256.New()}
}

func (r *partReader) Read(p []byte) (int, error) {
	if r.failed == nil && r.remaining == 0 {
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		r.failed = r.next()
	}
	if r.failed != nil {
		return 0, r.failed
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.remaining)])
	_, _ = r.hash.Write(p[:n]) // a hash never fails
	if r.remaining -= int64(n); r.remaining == 0 {
		r.failed = r.check()
	} else if err != nil {
		r.failed = contentError(fmt.Errorf("a chunk ends %d bytes early: %w", r.remaining, err))
	}
	return n, r.failed
}

// next opens the next part. Its compressed bytes end where other parts begin.
func (r *partReader) next() error {
	r.current, r.rest = r.rest[0], r.rest[1:]
	r.remaining = r.current.size
	r.hash.Reset()
	if r.current.zeros {
		r.body, r.raw = io.NopCloser(zeroReader{}), io.NopCloser(nil)
		return nil
	}
	t := r.table
	after, _ := slices.BinarySearch(t.begins, r.current.off+1)
	n := t.begins[min(after, len(t.begins)-1)] - r.current.off
	switch unpacked := r.current.inner + r.current.size; {
	case n <= 0:
		return fmt.Errorf("%w: a chunk after the table of contents", registry.ErrContent)
	case unpacked > t.options.Limits.Unpacked:
		return &LimitError{What: "unpacked bytes", Limit: t.options.Limits.Unpacked}
	case t.options.Limits.exceedsRatio(unpacked, n):
		return &LimitError{What: "unpacked bytes for a compressed one", Limit: t.options.Limits.Ratio}
	}
	raw, err := t.openRange(r.ctx, r.current.off, n)
	if err != nil {
		return err
	}
	r.raw = raw
	if r.body, err = t.format(bufio.NewReader(raw), usualWindow); err != nil {
		r.body = io.NopCloser(nil)
		return contentError(err)
	}
	if _, err := io.CopyN(io.Discard, r.body, r.current.inner); err != nil {
		return contentError(err)
	}
	return nil
}

// check compares the part with its digest.
func (r *partReader) check() error {
	r.close()
	if !r.current.zeros && !bytes.Equal(r.hash.Sum(nil), r.current.digest[:]) {
		return fmt.Errorf("%w: a chunk of %d bytes has another digest than in the table of contents", registry.ErrContent,
			r.current.size)
	}
	return nil
}

// finish reads the part to its end, to verify it, and returns the first error.
func (r *partReader) finish() error {
	var skip [32 << 10]byte
	for r.failed == nil && r.remaining > 0 {
		_, _ = r.Read(skip[:])
	}
	r.close()
	return r.failed
}

func (r *partReader) close() {
	if r.raw != nil {
		_, _ = r.body.Close(), r.raw.Close() // they were only read
		r.raw = nil
	}
}

// zeroReader is the content of a part that is not stored.
type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
