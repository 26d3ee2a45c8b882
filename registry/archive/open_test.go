package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

func parse(t *testing.T, s string) registry.Ref {
	t.Helper()
	ref, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func image(p v1.Platform, seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: p, Seed: seed, Layers: 2})
}

// write puts images into name (oci: or oci-archive:, without a tag), each under its tag.
func write(t *testing.T, name string, images map[string]registrytest.Built) {
	t.Helper()
	w, err := archive.Create(parse(t, name))
	if err != nil {
		t.Fatal(err)
	}
	for tag, b := range images {
		// Push writes no row without a tag, so PutTag does.
		if err := errors.Join(b.Push(t.Context(), w, ""), w.PutTag(t.Context(), tag, b.Manifest)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, name string) registry.Object {
	t.Helper()
	o, err := archive.Open(t.Context(), parse(t, name))
	if err != nil {
		t.Fatalf("opening %q: %v", name, err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func read(ctx context.Context, s registry.Source, d v1.Descriptor) ([]byte, error) {
	rc, err := s.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(rc)
	return data, errors.Join(err, rc.Close())
}

// wantContent checks that the source has all manifests and blobs of b.
func wantContent(t *testing.T, s registry.Source, b registrytest.Built) {
	t.Helper()
	for _, m := range b.Manifests {
		if got, err := s.Manifest(t.Context(), m.Descriptor()); err != nil || !bytes.Equal(got.Body, m.Body) {
			t.Errorf("manifest %s: %v", m.Digest, err)
		}
	}
	for _, d := range b.Order {
		if data, err := read(t.Context(), s, d); err != nil || !bytes.Equal(data, b.Blobs[d.Digest]) {
			t.Errorf("blob %s: %d bytes, %v", d.Digest, len(data), err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	list := registrytest.List(registrytest.ListSpec{
		Attested: true,
		Entries:  []registrytest.Entry{{Built: image(amd64, "1")}, {Built: image(arm64, "1")}},
	})
	for _, name := range []string{"oci:" + t.TempDir() + "/layout", "oci-archive:" + t.TempDir() + "/a.tar"} {
		write(t, name, map[string]registrytest.Built{"v1": list, "v2": image(amd64, "2")})
		for _, ref := range []string{name + ":v1", name + "@" + list.Digest().String()} {
			o := open(t, ref)
			if o.Root.Digest != list.Digest() || !o.Root.IsList() {
				t.Errorf("%q: got %s", ref, o.Root.Digest)
			}
			wantContent(t, o.Source, list)
		}
		child := list.Manifests[0]
		if o := open(t, name+"@"+child.Digest.String()); o.Root.Digest != child.Digest || !o.Root.IsImage() {
			t.Errorf("a child by digest: got %s", o.Root.Digest)
		}
	}
}

func TestArchivesWithoutTransport(t *testing.T) {
	t.Parallel()
	dir, b := t.TempDir(), image(amd64, "1")
	write(t, "oci-archive:"+dir+"/oci.tar", map[string]registrytest.Built{"v1": b})
	docker := registrytest.DockerArchive(registrytest.Tagged{Built: b, Tags: []string{"demo:v1"}})
	save(t, dir+"/docker.tar", docker)
	for file, want := range map[string]registry.Transport{
		"oci.tar":    registry.TransportArchive,
		"docker.tar": registry.TransportDockerArchive,
	} {
		if o := open(t, filepath.Join(dir, file)); o.Ref.Transport != want {
			t.Errorf("%s: got transport %s", file, o.Ref.Transport)
		}
	}
}

func save(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestChooseImage(t *testing.T) {
	t.Parallel()
	one, two := image(amd64, "1"), image(amd64, "2")
	dir := t.TempDir()
	save(t, dir+"/d.tar", registrytest.DockerArchive(
		registrytest.Tagged{Built: one, Tags: []string{"demo:v1", "demo:latest"}},
		registrytest.Tagged{Built: two, Tags: []string{"localhost:5000/other:v2", "localhost:5000/other:latest"}},
	))
	write(t, "oci:"+dir+"/l", map[string]registrytest.Built{"v1": one, "localhost:5000/other:v2": two})
	write(t, "oci:"+dir+"/one", map[string]registrytest.Built{"v1": one, "v2": one})
	write(t, "oci:"+dir+"/unnamed", map[string]registrytest.Built{"": two})
	both := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: one}, {Built: image(arm64, "3")}}})
	write(t, "oci:"+dir+"/whole", map[string]registrytest.Built{"v1": both, "": one})
	write(t, "oci:"+dir+"/more", map[string]registrytest.Built{"v1": both, "": two})
	configOf := func(b registrytest.Built) v1.Hash { return b.Order[len(b.Order)-1].Digest }
	for _, tt := range []struct {
		ref   string
		want  registrytest.Built
		err   error
		words string
	}{
		{ref: "docker-archive:d.tar:v1", want: one},
		{ref: "docker-archive:d.tar:demo:v1", want: one},
		{ref: "docker-archive:d.tar:docker.io/library/demo:v1", want: one},
		{ref: "docker-archive:d.tar:localhost:5000/other:v2", want: two},
		{ref: "docker-archive:d.tar:v2", want: two},
		{ref: "docker-archive:d.tar:latest", err: registry.ErrName, words: "demo:v1, localhost:5000/other:v2"},
		{ref: "docker-archive:d.tar", err: registry.ErrName, words: "demo:v1, localhost:5000/other:v2"},
		{ref: "docker-archive:d.tar:v3", err: registry.ErrNotFound, words: `"v3"`},
		{ref: "docker-archive:d.tar@" + one.Digest().String(), err: registry.ErrNotFound, words: "digest"},
		{ref: "oci:l:v1", want: one},
		{ref: "oci:l:v2", want: two},
		{ref: "oci:l:localhost:5000/other:v2", want: two},
		{ref: "oci:l", err: registry.ErrName, words: "localhost:5000/other:v2, v1"},
		{ref: "oci:l:nope", err: registry.ErrNotFound, words: `"nope"`},
		{ref: "oci:l@" + registrytest.Hash(nil).String(), err: registry.ErrNotFound, words: "sha256:"},
		{ref: "oci:one", want: one},
		{ref: "oci:unnamed", want: two},
		{ref: "oci:whole", want: both}, // its image beside it is no other choice
		{ref: "oci:more", err: registry.ErrName, words: "sha256:"},
	} {
		transport, path, _ := strings.Cut(tt.ref, ":")
		o, err := archive.Open(t.Context(), parse(t, transport+":"+dir+"/"+path))
		if tt.err != nil {
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%q: %v, want %v and %q", tt.ref, err, tt.err, tt.words)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.ref, err)
			continue
		}
		if o.Root.Digest != tt.want.Digest() && !bytes.Contains(o.Root.Body, []byte(configOf(tt.want).Hex)) {
			t.Errorf("%q: got another image: %s", tt.ref, o.Root.Body)
		}
		_ = o.Close()
	}
}
