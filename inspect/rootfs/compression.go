package rootfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"mtool/registry"
)

// source is a layer as it is transferred. It keeps its own error, so that what a decoder says besides is about the bytes.
type source struct {
	ctx context.Context //nolint:containedctx // io.Reader has no room for it
	r   io.Reader
	n   int64 // bytes read
	err error
}

func (s *source) Read(p []byte) (n int, err error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, s.err = s.r.Read(p)
	s.n += int64(n)
	return n, s.err
}

func (s *source) read() int64 { return s.n }

// magics are the first bytes of compressed streams. What a layer is packed with is told from its bytes, as runtimes do:
// media types are wrong often enough.
var magics = []struct {
	name, bytes string
	open        opener
}{
	{"gzip", "\x1f\x8b", openGzip},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
	{"bzip2", "BZh", nil},
	{"xz", "\xfd7zXZ\x00", nil},
}

// decompress tells how s is packed and unpacks it: all members of gzip, all frames of zstd, or s as it is. Once the end was
// read, s was read to its end too.
func decompress(s *source, window uint64) (io.ReadCloser, error) {
	const size = 64 << 10
	buffered := bufio.NewReaderSize(s, size)
	head, err := buffered.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	open := func(r io.Reader, _ uint64) (io.ReadCloser, error) { return io.NopCloser(r), nil }
	if skippable(head) {
		open = openZstd
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.bytes)) {
			if open = m.open; open == nil {
				return nil, &UncheckedError{Reason: Compression, Detail: m.name}
			}
		}
	}
	r, err := open(buffered, window)
	if err != nil {
		return nil, s.explain(err)
	}
	return &decoder{r, s}, nil
}

// skippable reports whether head begins a frame that zstd decoders skip; zstd:chunked uses them.
// https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
func skippable(head []byte) bool {
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte("\x2a\x4d\x18"))
}

// opener starts unpacking a stream, in whose unpacked bytes window may be looked back.
type opener func(r io.Reader, window uint64) (io.ReadCloser, error)

func openGzip(r io.Reader, _ uint64) (io.ReadCloser, error) { return gzip.NewReader(r) }

func openZstd(r io.Reader, window uint64) (io.ReadCloser, error) {
	// One goroutine, ours: several layers are read at once anyway, and each goroutine of the decoder has a window.
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// decoder explains the errors of the reader that unpacks s.
type decoder struct {
	io.ReadCloser
	s *source
}

func (d *decoder) Read(p []byte) (n int, err error) {
	n, err = d.ReadCloser.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // what a reader ends with is never wrapped
		err = d.s.explain(err)
	}
	return n, err
}

// explain makes an error of a decoder one of ours: that of s, if it had one, or else bytes that are no gzip or zstd, or
// that take too much memory.
func (s *source) explain(err error) error {
	switch {
	case s.err != nil && !errors.Is(s.err, io.EOF):
		return s.err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &UncheckedError{Reason: Window}
	case errors.Is(err, io.EOF): // gzip's word for a header that ends early
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("unpacking: %w: %w", registry.ErrContent, err)
}
