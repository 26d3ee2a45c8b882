package facts_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
	"mtool/inspect/facts"
	"mtool/inspect/rootfs"
	"mtool/registry/registrytest"
)

func some(t *testing.T) rootfs.LayerFacts {
	t.Helper()
	return rootfs.LayerFacts{
		Schema: rootfs.Schema, Digest: registrytest.Hash([]byte(t.Name())),
		DiffID: registrytest.Hash([]byte("plain")), Size: 7,
		Whiteouts: []string{"etc/gone", "odd\xffname"},
	}
}

func TestPutGet(t *testing.T) {
	t.Parallel()
	dir, want := t.TempDir(), some(t)
	s := facts.Open(filepath.Join(dir, "facts"))
	if _, ok := s.Get(want.Digest); ok {
		t.Error("there are facts before the first Put")
	}
	if err := s.Put(want); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Get(want.Digest); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, ok, want)
	}
	var none facts.Store
	if err := none.Put(want); err != nil {
		t.Error(err)
	}
	if _, ok := none.Get(want.Digest); ok {
		t.Error("the zero value keeps facts")
	}
}

// summed returns a file as Put writes it.
func summed(body string) string { return registrytest.Hash([]byte(body)).Hex + "\n" + body }

// A damaged or truncated file, or one of another version or layer, is ignored.
func TestGetRefuses(t *testing.T) {
	t.Parallel()
	whole := `{"schema":"` + rootfs.Schema + `","digest":"` + registrytest.Hash([]byte(t.Name()+"/twin")).String() + `"}`
	for name, body := range map[string]string{
		"empty": "", "cut off": summed(`{"schema":"` + rootfs.Schema + `","digest":"sha256:`),
		"another version": summed(`{"schema":"mtool.layer/v0"}`),
		"another layer": summed(`{"schema":"` + rootfs.Schema + `","digest":"` +
			registrytest.Hash([]byte("x")).String() + `"}`),
		"without a checksum": whole, "more at the end": summed(whole) + " ", "twin": summed(whole),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, f := t.TempDir(), some(t)
			s := facts.Open(dir)
			if err := s.Put(f); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*", "sha256", "*"))
			if err != nil || len(files) != 1 {
				t.Fatalf("files are %q, %v", files, err)
			}
			if err := os.WriteFile(files[0], []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok := s.Get(f.Digest); ok != (name == "twin") {
				t.Errorf("accepted: %v", ok)
			}
		})
	}
}

// Whichever bit of a file is flipped, Get returns the right facts or none.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	dir, want := t.TempDir(), some(t)
	want.Files = []rootfs.File{{
		Path: "app", Type: rootfs.Program, Mode: 0o755,
		Fact: &binary.Fact{Kind: binary.ELFExecutable, Arch: "arm64"},
	}}
	s := facts.Open(dir)
	if err := s.Put(want); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "sha256", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files are %q, %v", files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		bad := slices.Clone(good)
		bad[n] ^= 1 << (n % 8)
		if err := os.WriteFile(files[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Get(want.Digest); ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("byte %d of %d makes %+v", n, len(good), got)
		}
	}
}

// No digest leads out of the directory.
func TestStrangeDigests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := facts.Open(filepath.Join(dir, "facts"))
	for _, digest := range []v1.Hash{{}, {Algorithm: "..", Hex: "x"}, {Algorithm: "sha256", Hex: "../../x"}} {
		f := some(t)
		f.Digest = digest
		if err := s.Put(f); err != nil {
			t.Error(err)
		}
		if _, ok := s.Get(digest); ok {
			t.Errorf("%v is accepted", digest)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestPutFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := facts.Open(file).Put(some(t)); err == nil {
		t.Error("facts were kept below a file")
	}
}
