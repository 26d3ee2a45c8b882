package store

import (
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// checked is a reader that verifies its bytes against a descriptor itself, as the blobs of registries and layouts do.
type checked interface {
	Checks(d v1.Descriptor) bool
}

// Verify returns a reader that compares the bytes of rc with d and ends with an error that wraps registry.ErrContent
// when they differ. A d.Size of 0 matches any size; if the size is known, the last bytes of wrong content are not
// returned. A reader that checks itself is not hashed twice. name is the origin of the bytes, for the error.
func Verify(rc io.ReadCloser, d v1.Descriptor, name string) (io.ReadCloser, error) {
	if c, ok := rc.(checked); ok && c.Checks(d) {
		return rc, nil
	}
	h, err := v1.Hasher(d.Digest.Algorithm)
	if err != nil {
		_ = rc.Close()
		return nil, fmt.Errorf("reading %q: digest %q: %w: %w", name, d.Digest, registry.ErrContent, err)
	}
	return &verifier{ReadCloser: rc, want: d, name: name, hash: h}, nil
}

type verifier struct {
	io.ReadCloser
	want v1.Descriptor
	name string
	hash hash.Hash
	size int64
}

// Checks implements checked.
func (v *verifier) Checks(d v1.Descriptor) bool {
	return d.Digest == v.want.Digest && d.Size == v.want.Size
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.size += int64(n)
	_, _ = v.hash.Write(p[:n]) // never fails, see hash.Hash
	if err != nil && err != io.EOF {
		return n, err
	}
	sized := v.want.Size > 0
	switch {
	case sized && v.size > v.want.Size:
		return 0, v.mismatch("it has more than %d bytes, as its descriptor says", v.want.Size)
	case err == nil && (!sized || v.size < v.want.Size):
		return n, nil
	case sized && v.size < v.want.Size:
		return 0, v.mismatch("it has %d bytes, its descriptor says %d", v.size, v.want.Size)
	}
	if got := fmt.Sprintf("%x", v.hash.Sum(nil)); got != v.want.Digest.Hex {
		return 0, v.mismatch("its digest is %s:%s, not %s", v.want.Digest.Algorithm, got, v.want.Digest)
	}
	return n, err
}

func (v *verifier) mismatch(format string, args ...any) error {
	return registry.WithKind(fmt.Errorf("reading %q: %s", v.name, fmt.Sprintf(format, args...)), registry.ErrContent)
}
