package archive_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

// FuzzOpen checks that opening any file returns, and that the root matches its digest.
func FuzzOpen(f *testing.F) {
	image := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}})
	path := filepath.Join(f.TempDir(), "image.tar")
	for _, kind := range []string{"oci-archive:", "docker-archive:"} {
		f.Add(seedArchive(f, kind, image))
	}
	f.Add([]byte("not a tar"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"oci-archive:", "docker-archive:"} {
			ref, err := registry.ParseRef(kind + path)
			if err != nil {
				t.Fatal(err)
			}
			o, err := archive.Open(t.Context(), ref)
			if err != nil {
				continue
			}
			if registrytest.Hash(o.Root.Body) != o.Root.Digest {
				t.Errorf("the root does not match its digest %s", o.Root.Digest)
			}
			if refs, err := o.Root.Refs(); err == nil {
				for _, d := range slices.Concat(refs.Manifests, refs.Blobs()) {
					if rc, err := o.Source.Blob(t.Context(), d); err == nil {
						_, _ = io.Copy(io.Discard, rc)
						_ = rc.Close()
					}
				}
			}
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// seedArchive returns a small archive: an OCI layout, or a Docker archive with manifest.json.
func seedArchive(f *testing.F, kind string, image registrytest.Built) []byte {
	f.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			f.Fatal(err)
		}
	}
	for digest, data := range image.Blobs {
		add("blobs/sha256/"+digest.Hex, data)
	}
	if kind == "oci-archive:" {
		add("blobs/sha256/"+image.Digest().Hex, image.Manifest.Body)
		add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
		add("index.json",
			[]byte(`{"schemaVersion":2,"manifests":[{"mediaType":"`+string(image.Manifest.MediaType)+`","digest":"`+
				image.Digest().String()+`","size":1}]}`))
	} else {
		config := "blobs/sha256/" + image.Order[len(image.Order)-1].Digest.Hex
		add("manifest.json",
			[]byte(`[{"Config":"`+config+`","RepoTags":["demo:v1"],"Layers":["blobs/sha256/`+image.Order[0].Digest.Hex+`"]}]`))
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}
