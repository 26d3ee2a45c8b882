package archive_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

func TestSuiteWithLayout(t *testing.T) {
	t.Parallel()
	registrytest.Suite(t, func(t *testing.T) registrytest.Endpoint {
		ref := parse(t, "oci:"+t.TempDir()+"/layout")
		w, err := archive.Create(ref)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		return registrytest.Endpoint{
			Target: w, Source: store.OpenLayout(ref.Path),
			Resolve: func(ctx context.Context, tag string) (registry.Manifest, error) {
				o, err := archive.Open(ctx, ref.WithTag(tag))
				if errors.Is(err, registry.ErrContent) {
					if _, none := os.Stat(ref.Path + "/oci-layout"); none != nil {
						err = registry.ErrNotFound // no layout yet
					}
				}
				return o.Root, err
			},
		}
	})
}

func TestLayoutKeepsOtherTags(t *testing.T) {
	t.Parallel()
	name := "oci:" + t.TempDir()
	one, two := image(amd64, "1"), image(amd64, "2")
	write(t, name, map[string]registrytest.Built{"v1": one, "v2": one})
	write(t, name, map[string]registrytest.Built{"v2": two})
	for tag, want := range map[string]registrytest.Built{"v1": one, "v2": two} {
		o := open(t, name+":"+tag)
		if o.Root.Digest != want.Digest() {
			t.Errorf("%s is %s, want %s", tag, o.Root.Digest, want.Digest())
		}
		wantContent(t, o.Source, want)
	}
}

func TestArchiveBytesAreDeterministic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := image(amd64, "1"), image(arm64, "2")
	write(t, "oci-archive:"+dir+"/a.tar", map[string]registrytest.Built{"v1": one, "v2": two})
	w, err := archive.Create(parse(t, "oci-archive:"+dir+"/b.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(two.Push(t.Context(), w, "v2"), one.Push(t.Context(), w, "v1"), w.Close()); err != nil {
		t.Fatal(err)
	}
	a, b := load(t, dir+"/a.tar"), load(t, dir+"/b.tar")
	if !bytes.Equal(a, b) {
		t.Error("the order of writing changes the archive")
	}
	if names, _ := untar(t, a); names[0] != "oci-layout" || names[1] != "index.json" || len(names) != 2+2*4 {
		t.Errorf("got files %v", names)
	}
}

func TestUnfinishedArchiveKeepsOldOne(t *testing.T) {
	t.Parallel()
	dir, old := t.TempDir(), []byte("old content")
	ref := parse(t, "oci-archive:"+dir+"/a.tar")
	for name, end := range map[string]func(w *archive.Writer) error{
		"aborted": func(w *archive.Writer) error {
			return errors.Join(image(amd64, "1").Push(t.Context(), w, "v1"), w.Abort(), w.Close())
		},
		"empty": func(w *archive.Writer) error {
			if err := w.Close(); err == nil {
				return errors.New("an empty archive was written")
			}
			return nil
		},
	} {
		save(t, ref.Path, old)
		w, err := archive.Create(ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(w); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 || !bytes.Equal(load(t, ref.Path), old) {
			t.Errorf("%s: got directory %v, file %q", name, entries, load(t, ref.Path))
		}
	}
}

// The spool of a killed process is removed, and that of a running process is not.
func TestAbandonedSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ref := parse(t, "oci-archive:"+dir+"/[a].tar")
	dead := filepath.Join(dir, ".[a].tar.mtool-1")
	if err := os.Mkdir(dead, 0o750); err != nil {
		t.Fatal(err)
	}
	alive, err := archive.Create(ref)
	if err != nil {
		t.Fatal(err)
	}
	spools, err := os.ReadDir(dir)
	if err != nil || len(spools) != 2 {
		t.Fatalf("%v %v", spools, err)
	}
	for _, e := range spools {
		hourAgo := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(dir, e.Name()), hourAgo, hourAgo); err != nil {
			t.Fatal(err)
		}
	}
	write(t, ref.String(), map[string]registrytest.Built{"v1": image(amd64, "1")})
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the spool of a killed process was not removed: %v", err)
	}
	if err := errors.Join(image(amd64, "2").Push(t.Context(), alive, "v2"), alive.Close()); err != nil {
		t.Errorf("closing the running writer: %v", err)
	}
	if o := open(t, ref.String()); o.Root.Digest != image(amd64, "2").Digest() {
		t.Error("got the image of the first writer, want that of the last")
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save(t, dir+"/file", nil)
	for name, kind := range map[string]error{
		"docker-archive:" + dir + "/d.tar":      registry.ErrName,
		"demo:v1":                               registry.ErrName,
		"oci-archive:" + dir + "/missing/a.tar": registry.ErrNotFound,
		"oci-archive:" + dir:                    registry.ErrContent,
		"oci:" + dir + "/file":                  registry.ErrContent,
	} {
		if _, err := archive.Create(parse(t, name)); !errors.Is(err, kind) {
			t.Errorf("%q: %v, want %v", name, err, kind)
		}
	}
}
