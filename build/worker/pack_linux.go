//go:build !mips64le

package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/labels"
	fsdiff "github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
	"github.com/moby/buildkit/util/overlay"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"mtool/build/device"
)

// packer makes layers of changes, as BuildKit does for overlayfs and containerd for the rest, but turns files that
// stand for devices into devices.
type packer struct{ blobs content.Store }

var _ diff.Comparer = packer{}

// Compare implements diff.Comparer.
func (p packer) Compare(
	ctx context.Context, lower, upper []mount.Mount, opts ...diff.Opt,
) (d ocispecs.Descriptor, err error) {
	var c diff.Config
	for _, o := range opts {
		if err := o(&c); err != nil {
			return d, err
		}
	}
	d.MediaType = c.MediaType
	blob, err := p.blobs.Writer(ctx, content.WithRef(c.Reference), content.WithDescriptor(d))
	if err != nil {
		return d, fmt.Errorf("beginning a layer: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.blobs.Abort(context.WithoutCancel(ctx), c.Reference))
		}
		err = errors.Join(err, blob.Close())
	}()
	if err := blob.Truncate(0); err != nil {
		return d, err
	}
	plain, err := pack(ctx, blob, c, lower, upper)
	if err != nil {
		return d, fmt.Errorf("writing a layer: %w", err)
	}
	d.Digest = blob.Digest()
	label := map[string]string{labels.LabelUncompressed: plain.String()}
	err = blob.Commit(ctx, 0, d.Digest, content.WithLabels(label))
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return d, fmt.Errorf("keeping a layer: %w", err)
	}
	info, err := p.blobs.Update(ctx, content.Info{Digest: d.Digest, Labels: label}, "labels."+labels.LabelUncompressed)
	d.Size = info.Size
	return d, err
}

// pack writes a layer and returns its uncompressed digest.
func pack(ctx context.Context, blob io.Writer, c diff.Config, lower, upper []mount.Mount) (digest.Digest, error) {
	const atOnce = 128 << 10
	buffer := bufio.NewWriterSize(blob, atOnce)
	sum := digest.Canonical.Digester()
	var to io.Writer = buffer
	done := func() error { return nil }
	if c.Compressor != nil {
		compressed, err := c.Compressor(buffer, c.MediaType)
		if err != nil {
			return "", err
		}
		to, done = compressed, compressed.Close
	}
	err := writeChanges(ctx, io.MultiWriter(to, sum.Hash()), lower, upper)
	return sum.Digest(), errors.Join(err, done(), buffer.Flush())
}

// writeChanges writes the changes from lower to upper. If upper is a directory above lower, it walks only that.
func writeChanges(ctx context.Context, w io.Writer, lower, upper []mount.Mount) error {
	top, err := overlay.GetUpperdir(lower, upper)
	if err != nil {
		return mount.WithTempMount(ctx, lower, func(base string) error {
			return mount.WithReadonlyTempMount(ctx, upper, func(root string) error {
				return write(w, root, func(f fsdiff.ChangeFunc) error { return fsdiff.Changes(ctx, base, root, f) })
			})
		})
	}
	empty, err := os.MkdirTemp("", "empty")
	if err != nil {
		return err
	}
	defer os.Remove(empty) //nolint:errcheck // the next worker tidies up
	// without whiteouts
	shown := []mount.Mount{{Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + top + ":" + empty}}}
	return mount.WithTempMount(ctx, lower, func(base string) error {
		return mount.WithTempMount(ctx, shown, func(root string) error {
			return write(w, root, func(f fsdiff.ChangeFunc) error {
				return errors.Join(overlay.Changes(ctx, f, top, root, base), replaced(top, base, f))
			})
		})
	})
}

// write writes the changes that walk finds in root.
func write(w io.Writer, root string, walk func(fsdiff.ChangeFunc) error) error {
	to := archive.NewChangeWriter(w, root)
	err := walk(func(kind fsdiff.ChangeKind, path string, info fs.FileInfo, err error) error {
		if err == nil && kind != fsdiff.ChangeKindDelete && info.Mode().IsRegular() {
			info = asDevice(info, filepath.Join(root, path))
		}
		return to.HandleChange(kind, path, info, err)
	})
	return errors.Join(err, to.Close())
}

// asDevice returns info, or that of the device for which the file at path stands.
func asDevice(info fs.FileInfo, path string) fs.FileInfo {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return info
	}
	d, ok := device.From(path)
	if !ok {
		return info
	}
	s := *stat
	s.Rdev = unix.Mkdev(d.Major, d.Minor) //nolint:unconvert // 32 bits on some architectures
	s.Mode = s.Mode&^unix.S_IFMT | unix.S_IFCHR
	if d.Block {
		s.Mode = s.Mode&^unix.S_IFMT | unix.S_IFBLK
	}
	return deviceInfo{info, d, &s}
}

// deviceInfo is a file shown as the device for which it stands.
type deviceInfo struct {
	fs.FileInfo
	device device.Device
	stat   *syscall.Stat_t
}

func (i deviceInfo) Mode() fs.FileMode { return i.FileInfo.Mode() | i.device.Mode() }
func (i deviceInfo) Size() int64       { return 0 }
func (i deviceInfo) Sys() any          { return i.stat }

// replaced finds the devices in top that replaced another one with the same owner, mode and time: compared only by
// these, the two empty files would look equal.
func replaced(top, base string, changed fsdiff.ChangeFunc) error {
	return filepath.Walk(top, func(path string, info fs.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() || info.Size() > 0 {
			return err
		}
		now, ok := device.From(path)
		below, err := filepath.Rel(top, path)
		if !ok || err != nil {
			return err
		}
		old, err := os.Lstat(filepath.Join(base, below))
		if err != nil || old.Size() > 0 || !old.Mode().IsRegular() || old.Mode() != info.Mode() ||
			old.ModTime().Unix() != info.ModTime().Unix() {
			return nil //nolint:nilerr // it did not exist: a change that was found
		}
		if before, ok := device.From(filepath.Join(base, below)); ok && before == now {
			return nil
		}
		return changed(fsdiff.ChangeKindModify, "/"+below, info, nil)
	})
}

// packedOnly is the store without new layers. BuildKit has two other ways to make them, and uses its differ, the
// packer, if they fail.
type packedOnly struct{ content.Store }

// Writer implements content.Ingester. Fetched content comes with its digest, converted content without a layer's
// media type.
func (s packedOnly) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var o content.WriterOpts
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.Desc.Digest == "" && images.IsLayerType(o.Desc.MediaType) {
		return nil, errors.New("layers are made by the worker's own differ")
	}
	return s.Store.Writer(ctx, opts...)
}
