package compression

import (
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Names of compressions.
const (
	Gzip  = "gzip"
	Zstd  = "zstd"
	Bzip2 = "bzip2"
	Xz    = "xz"
)

// HeadSize is how many bytes Name needs.
const HeadSize = 6

// magics are the first bytes of streams.
var magics = []struct{ name, bytes string }{
	{Gzip, "\x1f\x8b"},
	{Zstd, "\x28\xb5\x2f\xfd"},
	{Bzip2, "BZh"},
	{Xz, "\xfd7zXZ\x00"},
}

// Name returns the compression of a stream that starts with head; "" if unknown.
func Name(head []byte) string {
	if skippable(head) {
		return Zstd
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.bytes)) {
			return m.name
		}
	}
	return ""
}

// skippable reports whether head begins a frame that zstd decoders skip; pzstd and zstd:chunked write them.
// https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
func skippable(head []byte) bool {
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte("\x2a\x4d\x18"))
}

// Open decompresses a stream of that compression.
func Open(name string, r io.Reader) (io.ReadCloser, error) {
	switch name {
	case Gzip:
		return gzip.NewReader(r)
	case Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	case Xz:
		x, err := xz.NewReader(r)
		return io.NopCloser(x), err
	}
	return nil, fmt.Errorf("unpacking %q: no such compression", name)
}
