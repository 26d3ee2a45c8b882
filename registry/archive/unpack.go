package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"mtool/registry"
	"mtool/registry/compression"
	"mtool/registry/store"
)

// An archive that unpacks to more than this, and to more than maxRatio times its size, is refused: honest ones hardly
// ever compress a tenth as well.
const (
	maxUnpacked = 4 << 30
	maxRatio    = 200
)

// uncompressed returns file itself or, if it is compressed as a whole, a temporary file with its content: an archive is
// read in place. It closes the file that it does not return.
func uncompressed(ctx context.Context, file *os.File) (io.Closer, *os.File, error) {
	head := make([]byte, compression.HeadSize)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return file, file, err
	}
	name := compression.Name(head[:n])
	if name == "" {
		return file, file, nil
	}
	temp, err := newTemporary()
	if err != nil {
		return file, file, err
	}
	if err := unpack(ctx, temp.File, file, name); err != nil {
		err = fmt.Errorf("it is compressed (%s): %w", name, store.DiskFull(err, os.TempDir(), 0))
		return file, file, errors.Join(err, temp.Close())
	}
	return temp, temp.File, file.Close()
}

func unpack(ctx context.Context, to, from *os.File, name string) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "unpacking", Name: from.Name(), Size: info.Size()})
	r, err := compression.Open(name, bufio.NewReader(registry.Counted(ctx, io.NopCloser(from))))
	if err != nil {
		task.End(registry.Copied, err)
		return fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	defer r.Close()
	_, err = io.Copy(&bounded{ctx: ctx, to: to, left: max(maxUnpacked, maxRatio*info.Size())}, contentErrors{r})
	task.End(registry.Copied, err)
	return err
}

// contentErrors turns every error of reading into an ErrContent of the archive.
type contentErrors struct{ io.Reader }

func (r contentErrors) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	return n, err
}

type bounded struct {
	ctx  context.Context
	to   io.Writer
	left int64
}

func (w *bounded) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	if w.left -= int64(len(p)); w.left < 0 {
		return 0, registry.WithKind(fmt.Errorf("it unpacks to over %d times its size", maxRatio), registry.ErrContent)
	}
	return w.to.Write(p)
}

// temporary is a file that is removed when it is closed. Where open files can be removed it has no name, and nothing is
// left however the process ends.
type temporary struct {
	*os.File
	named bool
}

func newTemporary() (temporary, error) {
	f, err := os.CreateTemp("", "mtool-archive-*.tar")
	if err != nil {
		return temporary{}, err
	}
	return temporary{f, os.Remove(f.Name()) != nil}, nil
}

func (t temporary) Close() error {
	err := t.File.Close()
	if t.named {
		err = errors.Join(err, os.Remove(t.Name()))
	}
	return err
}

// Spool copies r to a temporary file whose name ParseRef reads as an archive's. The caller removes it.
func Spool(ctx context.Context, r io.Reader) (string, error) {
	f, err := os.CreateTemp("", "mtool-archive-*.tar")
	if err != nil {
		return "", err
	}
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "reading", Name: "standard input", Size: -1})
	_, err = io.Copy(&bounded{ctx: ctx, to: f, left: math.MaxInt64}, registry.Counted(ctx, io.NopCloser(r)))
	task.End(registry.Copied, err)
	if err = errors.Join(store.DiskFull(err, os.TempDir(), 0), f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("reading standard input: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}
