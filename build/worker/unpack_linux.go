//go:build !mips64le

package worker

import (
	"archive/tar"
	"context"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/build/device"
)

// unpacker unpacks layers. In a user namespace containerd's own silently leaves out devices; this one makes the files
// that stand for them.
type unpacker struct {
	blobs content.Provider
	// forgets is why files on this file system can't stand for devices; nil if they can.
	forgets error
}

var _ diff.Applier = unpacker{}

// Apply implements diff.Applier.
func (u unpacker) Apply(
	ctx context.Context, layer ocispecs.Descriptor, mounts []mount.Mount, opts ...diff.ApplyOpt,
) (ocispecs.Descriptor, error) {
	none := ocispecs.Descriptor{}
	var c diff.ApplyConfig
	for _, o := range opts {
		if err := o(ctx, layer, &c); err != nil {
			return none, err
		}
	}
	blob, err := u.blobs.ReaderAt(ctx, layer)
	if err != nil {
		return none, fmt.Errorf("opening layer %s: %w", layer.Digest, err)
	}
	defer blob.Close() //nolint:errcheck // opened for reading only
	plain, err := diff.GetProcessor(ctx, diff.NewProcessorChain(layer.MediaType, content.NewReader(blob)),
		c.ProcessorPayloads)
	if err != nil {
		return none, fmt.Errorf("reading layer %s: %w", layer.Digest, err)
	}
	defer plain.Close()
	sum := digest.Canonical.Digester()
	counted := &counter{r: io.TeeReader(plain, sum.Hash())}
	err = mount.WithTempMount(ctx, mounts, func(root string) error {
		_, err := archive.Apply(ctx, root, counted, archive.WithFilter(u.standIn))
		return err
	})
	if err == nil {
		_, err = io.Copy(io.Discard, counted) // data after the archive is part of the layer
	}
	return ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageLayer, Size: counted.n, Digest: sum.Digest()}, err
}

// standIn turns a device's header into that of the file that stands for it. The attribute itself in a layer has no
// meaning.
func (u unpacker) standIn(h *tar.Header) (bool, error) {
	const attribute = "SCHILY.xattr." + device.Attribute
	delete(h.PAXRecords, attribute)
	if h.Typeflag != tar.TypeChar && h.Typeflag != tar.TypeBlock {
		return true, nil
	}
	kind := "c"
	if h.Typeflag == tar.TypeBlock {
		kind = "b"
	}
	d, ok := device.Parse(fmt.Sprintf("%s %d:%d", kind, h.Devmajor, h.Devminor))
	if !ok {
		return false, fmt.Errorf("%q is a device that Linux does not have, %s %d:%d", h.Name, kind, h.Devmajor, h.Devminor)
	}
	if u.forgets != nil {
		return false, fmt.Errorf("%q is a device: it can't be made in a user namespace, and no file can stand for it: %w",
			h.Name, u.forgets)
	}
	h.Typeflag, h.Size = tar.TypeReg, 0
	if h.PAXRecords == nil {
		h.PAXRecords = map[string]string{}
	}
	h.PAXRecords[attribute] = d.String()
	return true, nil
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
