package repack

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"mtool/registry"
	"mtool/registry/compression"
)

// Layer is a layer in another format.
type Layer struct {
	// Descriptor has its digest, its size and the annotations that it needs, and OCI's media type.
	Descriptor v1.Descriptor
	// DiffID is the digest of the tar that it unpacks to, WasDiffID that of the layer that it was made of. They differ
	// for eStargz only.
	DiffID, WasDiffID v1.Hash
}

// Pack unpacks the layer that it reads from r, in whatever compression, and packs it into w. What can't be unpacked is
// registry.ErrContent. A level out of range is not checked: see ParseFormat.
func (f Format) Pack(ctx context.Context, w io.Writer, r io.Reader) (Layer, error) {
	src := &source{r: r, ctx: ctx}
	out := newCounter(w)
	plain, tar := io.Pipe()
	unpacked := make(chan error, 1)
	was := sha256.New()
	go func() {
		err := src.unpack(io.MultiWriter(tar, was))
		tar.CloseWithError(err)
		unpacked <- err
	}()
	annotations, diffID, err := f.pack(out, plain)
	if err == nil { // what follows the tar's end belongs to it too, and is read by now unless the format ignores it
		_, err = io.Copy(io.Discard, plain)
	}
	plain.CloseWithError(errors.Join(err, io.ErrClosedPipe))
	if failed := <-unpacked; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		err = failed // it is the reason for whatever the other side says
	}
	if err != nil {
		return Layer{}, err
	}
	l := Layer{WasDiffID: hashOf(was), DiffID: hashOf(was)}
	if diffID != (v1.Hash{}) {
		l.DiffID = diffID
	}
	l.Descriptor = v1.Descriptor{
		MediaType: f.MediaType(false), Digest: hashOf(out.sum), Size: out.n, Annotations: annotations,
	}
	return l, nil
}

// pack packs a tar. diffID is that of another tar that the layer unpacks to; zero for the same one.
func (f Format) pack(w io.Writer, r io.Reader) (annotations map[string]string, diffID v1.Hash, err error) {
	switch f.Name {
	case Gzip:
		return nil, v1.Hash{}, f.packGzip(w, r)
	case Zstd:
		return nil, v1.Hash{}, f.packZstd(w, r)
	case ZstdChunked:
		annotations, err = f.packChunked(w, r)
		return annotations, v1.Hash{}, err
	case EStargz:
		return f.packStargz(w, r)
	}
	return nil, v1.Hash{}, fmt.Errorf("packing a layer: %w: no format %q", registry.ErrUsage, f.Name)
}

func (f Format) packGzip(w io.Writer, r io.Reader) error {
	z, err := gzip.NewWriterLevel(w, f.gzipLevel())
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, r); err != nil {
		return err
	}
	return z.Close()
}

func (f Format) packZstd(w io.Writer, r io.Reader) error {
	z, err := f.encoder(w)
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, r); err != nil {
		return errors.Join(err, z.Close())
	}
	return z.Close()
}

// encoder returns an encoder for zstd frames, by default of level 3, as the zstd command has.
func (f Format) encoder(w io.Writer) (*zstd.Encoder, error) {
	level := zstd.SpeedDefault
	if f.Level != 0 {
		level = zstd.EncoderLevelFromZstd(f.Level)
	}
	return zstd.NewWriter(w, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(2))
}

func (f Format) gzipLevel() int {
	if f.Level == 0 {
		return gzip.DefaultCompression
	}
	return f.Level
}

// source is a layer that is read. It tells errors of the source from those of unpacking.
type source struct {
	r   io.Reader
	ctx context.Context //nolint:containedctx // a reader has no other way to it
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// unpack writes what the layer unpacks to. It reads the source to its end, where its digest is checked.
func (s *source) unpack(w io.Writer) error {
	const piece = 256 << 10 // each one wakes the packer
	packed := bufio.NewReaderSize(s, piece)
	head, err := packed.Peek(compression.HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	plain := io.NopCloser(packed)
	if name := compression.Name(head); name != "" {
		if plain, err = compression.Open(name, packed); err != nil {
			return s.reason(err)
		}
		defer plain.Close()
	}
	to := &destination{w: w}
	if _, err = io.CopyBuffer(to, struct{ io.Reader }{plain}, make([]byte, piece)); err == nil {
		_, err = io.Copy(io.Discard, packed)
	}
	if to.err != nil {
		return to.err
	}
	return s.reason(err)
}

// reason returns the error of the source, else one of unpacking.
func (s *source) reason(err error) error {
	switch {
	case s.err != nil:
		return s.err
	case err != nil:
		return fmt.Errorf("unpacking it: %w: %w", registry.ErrContent, err)
	}
	return nil
}

// destination remembers the error of a writer.
type destination struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (d *destination) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		d.err = err
	}
	return n, err
}

// counter counts and hashes what is written.
type counter struct {
	w   io.Writer
	n   int64
	sum hash.Hash
}

func newCounter(w io.Writer) *counter { return &counter{w: w, sum: sha256.New()} }

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.sum.Write(p[:n])
	return n, err
}

func hashOf(sum hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}
}
