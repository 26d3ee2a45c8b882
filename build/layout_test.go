package build

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestOutputReusesStoredBlobs(t *testing.T) {
	t.Parallel()
	store, dir := t.TempDir(), t.TempDir()
	known, fresh := []byte("known"), []byte("fresh")
	blobs := filepath.Join("blobs", "sha256")
	if err := os.MkdirAll(filepath.Join(store, blobs), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(store, blobs, digest.FromBytes(known).Encoded()), known, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := newOutput(dir, store)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) error {
		d := ocispecs.Descriptor{Digest: digest.FromBytes(b), Size: int64(len(b))}
		return content.WriteBlob(t.Context(), out, d.Digest.String(), bytes.NewReader(b), d)
	}
	d := ocispecs.Descriptor{Digest: digest.FromBytes(known), Size: int64(len(known))}
	if _, err := out.Writer(t.Context(), content.WithRef("x"), content.WithDescriptor(d)); !errors.Is(err,
		errdefs.ErrAlreadyExists) {
		t.Errorf("writing a blob that the store has: %v", err)
	}
	if err := write(fresh); err != nil {
		t.Error(err)
	}
	for _, b := range [][]byte{known, fresh} {
		got, err := os.ReadFile(filepath.Join(dir, blobs, digest.FromBytes(b).Encoded()))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: got %q, %v", b, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(store, blobs, digest.FromBytes(fresh).Encoded())); err == nil {
		t.Error("a fresh blob was written into the store")
	}
}
