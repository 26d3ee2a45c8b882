package store_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("x"), 100_000)
	digest, size, err := v1.SHA256(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Clone(body)
	wrong[size-1] = 'y'
	tests := map[string]struct {
		body []byte
		size int64
		good bool
	}{
		"right":               {body, size, true},
		"right, any size":     {body, 0, true},
		"last byte":           {wrong, size, false},
		"last byte, any size": {wrong, 0, false},
		"short":               {body[:size-1], size, false},
		"long":                {append(bytes.Clone(body), 'x'), size, false},
		"empty":               {nil, size, false},
	}
	for name, tt := range tests {
		rc, err := store.Verify(io.NopCloser(bytes.NewReader(tt.body)), v1.Descriptor{Digest: digest, Size: tt.size}, name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(rc)
		switch {
		case tt.good && (err != nil || !bytes.Equal(got, body)):
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		case !tt.good && !errors.Is(err, registry.ErrContent):
			t.Errorf("%s: got %v, want ErrContent", name, err)
		case !tt.good && tt.size > 0 && int64(len(got)) >= size:
			t.Errorf("%s: all %d bytes were returned", name, len(got))
		}
	}
}

// A verifying reader is not wrapped again for the same descriptor, but for another one it is.
func TestVerifyOnce(t *testing.T) {
	t.Parallel()
	digest, size, err := v1.SHA256(bytes.NewReader([]byte("body")))
	if err != nil {
		t.Fatal(err)
	}
	d := v1.Descriptor{Digest: digest, Size: size}
	first, err := store.Verify(io.NopCloser(bytes.NewReader([]byte("body"))), d, "first")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := store.Verify(first, d, "again"); err != nil || again != first {
		t.Errorf("got %v and %v, want the first reader", again, err)
	}
	other := d
	other.Digest.Hex = digest.Hex[1:] + "0"
	rc, err := store.Verify(first, other, "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(rc); !errors.Is(err, registry.ErrContent) {
		t.Errorf("got %v for another digest, want ErrContent", err)
	}
}
