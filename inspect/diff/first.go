package diff

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/compression"
)

// First says where two images first differ: in which layer, file and byte, or in which member of the config or of the
// manifest. It is "" if they are the same.
func First(ctx context.Context, a, b inspect.Image) (string, error) {
	if a.Manifest.Digest == b.Manifest.Digest {
		return "", nil
	}
	for i := range min(len(a.Layers), len(b.Layers)) {
		if a.Layers[i].Digest == b.Layers[i].Digest {
			continue
		}
		where, err := firstInLayers(ctx, a, b, i)
		if where == "" {
			where = "how it is compressed"
		}
		return fmt.Sprintf("layer %d of %d: %s", i+1, len(a.Layers), where), err
	}
	if len(a.Layers) != len(b.Layers) {
		return fmt.Sprintf("%d layers instead of %d", len(b.Layers), len(a.Layers)), nil
	}
	details, err := diffContent(a, b)
	if err != nil {
		return "", err
	}
	if len(details) > 0 {
		d := details[0]
		return fmt.Sprintf("%s: %q instead of %q", d.What, d.B, d.A), nil
	}
	return "the bytes of its config or manifest", nil
}

func firstInLayers(ctx context.Context, a, b inspect.Image, i int) (string, error) {
	one, err := openLayer(ctx, a.Source, a.Layers[i])
	if err != nil {
		return "", err
	}
	defer one.close()
	two, err := openLayer(ctx, b.Source, b.Layers[i])
	if err != nil {
		return "", err
	}
	defer two.close()
	for {
		x, errX := one.tar.Next()
		y, errY := two.tar.Next()
		switch {
		case errors.Is(errX, io.EOF) && errors.Is(errY, io.EOF):
			return "", nil
		case errors.Is(errX, io.EOF) && errY == nil:
			return fmt.Sprintf("%q is new", y.Name), nil
		case errors.Is(errY, io.EOF) && errX == nil:
			return fmt.Sprintf("%q is missing", x.Name), nil
		case errX != nil || errY != nil:
			return "", fmt.Errorf("%w: reading layer %d: %w", registry.ErrContent, i+1, errors.Join(errX, errY))
		}
		if where, err := firstInFiles(x, y, one.tar, two.tar); where != "" || err != nil {
			return where, err
		}
	}
}

// layer is an open layer.
type layer struct {
	tar   *tar.Reader
	close func()
}

func openLayer(ctx context.Context, from registry.Source, d v1.Descriptor) (layer, error) {
	blob, err := from.Blob(ctx, d)
	if err != nil {
		return layer{}, err
	}
	r := bufio.NewReader(blob)
	head, _ := r.Peek(16) // a shorter one has no compression
	plain, err := compression.Open(compression.Name(head), r)
	if err != nil {
		return layer{}, errors.Join(fmt.Errorf("%w: layer %s: %w", registry.ErrContent, d.Digest, err), blob.Close())
	}
	return layer{tar.NewReader(plain), func() { _, _ = plain.Close(), blob.Close() }}, nil
}

// firstInFiles compares two entries. A time comes last: it differs wherever a build had none given, and hides the rest.
func firstInFiles(x, y *tar.Header, a, b io.Reader) (string, error) {
	if x.Name != y.Name {
		return fmt.Sprintf("%q instead of %q", y.Name, x.Name), nil
	}
	for _, c := range []struct {
		what string
		same bool
		x, y any
	}{
		{"kind", x.Typeflag == y.Typeflag, string(x.Typeflag), string(y.Typeflag)},
		{"mode", x.Mode == y.Mode, fmt.Sprintf("%o", x.Mode), fmt.Sprintf("%o", y.Mode)},
		{"owner", x.Uid == y.Uid && x.Gid == y.Gid, fmt.Sprintf("%d:%d", x.Uid, x.Gid), fmt.Sprintf("%d:%d", y.Uid, y.Gid)},
		{"link", x.Linkname == y.Linkname, x.Linkname, y.Linkname},
	} {
		if !c.same {
			return fmt.Sprintf("%q has the %s %v instead of %v", x.Name, c.what, c.y, c.x), nil
		}
	}
	at, err := firstByte(a, b)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: reading %q: %w", registry.ErrContent, x.Name, err)
	case at >= 0:
		return fmt.Sprintf("%q differs at byte %d", x.Name, at+1), nil
	case !x.ModTime.Equal(y.ModTime):
		return fmt.Sprintf("%q has the time %s instead of %s", x.Name, y.ModTime.UTC(), x.ModTime.UTC()), nil
	case !maps.Equal(x.PAXRecords, y.PAXRecords):
		return fmt.Sprintf("%q has other extended attributes", x.Name), nil
	}
	return "", nil
}

// firstByte returns where two contents first differ, from 0; -1 if nowhere.
func firstByte(a, b io.Reader) (int64, error) {
	x, y := bufio.NewReader(a), bufio.NewReader(b)
	for at := int64(0); ; at++ {
		c, errX := x.ReadByte()
		d, errY := y.ReadByte()
		endX, endY := errors.Is(errX, io.EOF), errors.Is(errY, io.EOF)
		switch {
		case errX != nil && !endX:
			return 0, errX
		case errY != nil && !endY:
			return 0, errY
		case endX && endY:
			return -1, nil
		case endX || endY || c != d:
			return at, nil
		}
	}
}
