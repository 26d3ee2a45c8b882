package repack

import (
	"fmt"
	"io"

	"github.com/containerd/stargz-snapshotter/estargz"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"

	"mtool/registry"
)

// packStargz packs a layer of single gzip members, one for each file or part of one. The table of contents is a file
// in the tar, which so has another digest.
func (f Format) packStargz(w io.Writer, r io.Reader) (map[string]string, v1.Hash, error) {
	to := &destination{w: w}
	writer := estargz.NewWriterWithCompressor(to, &members{
		GzipCompressor: estargz.NewGzipCompressorWithLevel(f.gzipLevel()), level: f.gzipLevel(),
	})
	// Not estargz.Build: where it starts a member depends on the number of processors.
	if err := writer.AppendTar(r); to.err != nil {
		return nil, v1.Hash{}, to.err // the library keeps only its text
	} else if err != nil {
		return nil, v1.Hash{}, fmt.Errorf("listing its files: %w: %w", registry.ErrContent, err)
	}
	table, err := writer.Close()
	if err != nil {
		return nil, v1.Hash{}, err
	}
	diffID, err := v1.NewHash(writer.DiffID())
	return map[string]string{stargzDigest: table.String()}, diffID, err
}

// members compresses with one compressor after the other, since a new one for each file would fill the memory.
type members struct {
	*estargz.GzipCompressor

	level int
	w     *gzip.Writer
}

// Writer implements estargz.Compressor.
func (m *members) Writer(w io.Writer) (estargz.WriteFlushCloser, error) {
	if m.w == nil {
		var err error
		m.w, err = gzip.NewWriterLevel(w, m.level)
		return m.w, err
	}
	m.w.Reset(w)
	return m.w, nil
}
