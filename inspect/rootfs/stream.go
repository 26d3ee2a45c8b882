package rootfs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// stream is the tar stream of a layer: unpacked ahead of its reader, hashed, and limited.
type stream struct {
	ctx      context.Context //nolint:containedctx // io.Reader has no room for it
	limits   Limits
	packed   io.ReadCloser
	unpacker *unpacker
	hash     hash.Hash
	buf      []byte // the chunk
	rest     []byte // the rest of it
	raw      int64  // compressed bytes of the chunks so far
	n        int64  // bytes of all chunks so far
	err      error
	started  time.Time
	total    *totals
}

// totals are the sizes of several layers together, so that many small layers can't exceed the limits.
type totals struct{ packed, unpacked atomic.Int64 }

// openStream starts unpacking r. The stream must be closed; r is not read any more after that.
func openStream(ctx context.Context, r io.Reader, limits Limits, w scanWork) (*stream, error) {
	src := &source{ctx: ctx, r: r}
	packed, err := decompress(src, w.window)
	if err != nil {
		return nil, err
	}
	return &stream{
		ctx: ctx, limits: limits, packed: packed, unpacker: newUnpacker(packed, src.read), hash: sha256.New(),
		started: time.Now(), total: w.totals,
	}, nil
}

func (s *stream) close() {
	s.unpacker.close()
	_ = s.packed.Close() // it was only read
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.advance()
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	if n == 0 && len(p) > 0 {
		return 0, s.err
	}
	return n, nil
}

// advance takes the next chunk, hashes it, and checks the limits.
func (s *stream) advance() {
	c := s.unpacker.next(s.buf)
	s.total.packed.Add(c.raw - s.raw)
	s.total.unpacked.Add(int64(len(c.data)))
	s.buf, s.rest, s.err, s.raw = c.data, c.data, c.err, c.raw
	s.n += int64(len(c.data))
	_, _ = s.hash.Write(c.data) // a hash never fails
	if err := s.checkLimits(); err != nil {
		s.rest, s.err = nil, err
	}
}

func (s *stream) checkLimits() error {
	switch {
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case time.Since(s.started) > s.limits.Time:
		return &LimitError{What: "seconds", Limit: int64(s.limits.Time.Seconds())}
	case s.n > s.limits.Unpacked:
		return &LimitError{What: "unpacked bytes", Limit: s.limits.Unpacked}
	case s.limits.exceedsRatio(s.n, s.raw), s.limits.exceedsRatio(s.total.unpacked.Load(), s.total.packed.Load()):
		return &LimitError{What: "unpacked bytes for a compressed one", Limit: s.limits.Ratio}
	}
	return nil
}

// exceedsRatio reports whether the compression ratio is over the limit.
func (l Limits) exceedsRatio(unpacked, packed int64) bool {
	return unpacked > l.Free && unpacked/max(packed, 1) > l.Ratio
}

// drain reads the rest: runtimes ignore bytes after a tar archive's end, but the diffID covers them.
func (s *stream) drain() error {
	for s.err == nil {
		s.advance()
	}
	s.rest = nil
	if errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

func (s *stream) diffID() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(s.hash.Sum(nil))}
}
