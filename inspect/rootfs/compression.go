package rootfs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"mtool/registry"
	"mtool/registry/compression"
)

// source reads a layer as it is transferred. It keeps its own error, to tell it from a decoder's error, which is
// about the content.
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

// decompress unpacks s: all gzip members, all zstd frames, or s unchanged. Its first bytes decide, as in runtimes,
// since media types are often wrong. At the end of the result, s was also read to its end.
func decompress(s *source, window uint64) (io.ReadCloser, error) {
	const size = 64 << 10
	buffered := bufio.NewReaderSize(s, size)
	head, err := buffered.Peek(compression.HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var open opener = openPlain
	switch name := compression.Name(head); name {
	case "":
	case compression.Gzip:
		open = openGzip
	case compression.Zstd:
		open = openZstd
	default:
		return nil, &UncheckedError{Reason: Compression, Detail: name}
	}
	r, err := open(buffered, window)
	if err != nil {
		return nil, s.explain(err)
	}
	return &decoder{r, s}, nil
}

// opener starts unpacking a stream. window limits the memory for earlier unpacked bytes.
type opener func(r io.Reader, window uint64) (io.ReadCloser, error)

func openPlain(r io.Reader, _ uint64) (io.ReadCloser, error) { return io.NopCloser(r), nil }

func openGzip(r io.Reader, _ uint64) (io.ReadCloser, error) { return gzip.NewReader(r) }

func openZstd(r io.Reader, window uint64) (io.ReadCloser, error) {
	// Only this goroutine: several layers are read at once anyway, and each goroutine of the decoder has its own window.
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window),
		zstd.WithDecoderLowmem(true))
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

// explain returns the error of s, if it had one; otherwise it says that the bytes are invalid gzip or zstd, or need
// too much memory.
func (s *source) explain(err error) error {
	switch {
	case s.err != nil && !errors.Is(s.err, io.EOF):
		return s.err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &UncheckedError{Reason: Window}
	case errors.Is(err, io.EOF): // gzip returns it for a truncated header
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("unpacking: %w: %w", registry.ErrContent, err)
}
