package fingerprint_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"mtool/build/fingerprint"
	"mtool/build/snapshot"
)

// TestDigest changes each input alone: each digest is another one.
func TestDigest(t *testing.T) {
	t.Parallel()
	whole := func() fingerprint.Inputs {
		return fingerprint.Inputs{
			Files: map[string]string{"": "a"}, Bases: map[string]string{"base": "a"}, Request: map[string]string{"target": "a"},
		}
	}
	seen := map[string]string{whole().Digest(): "nothing"}
	kind := reflect.TypeFor[fingerprint.Inputs]()
	for i := range kind.NumField() {
		in := whole()
		switch field := reflect.ValueOf(&in).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("b")
		case reflect.Map:
			m := maps.Clone(field.Interface().(map[string]string))
			m["b"] = "b"
			field.Set(reflect.ValueOf(m))
		default:
			t.Fatal(kind.Field(i).Name)
		}
		if other, ok := seen[in.Digest()]; ok {
			t.Errorf("%s changes as much as %s", kind.Field(i).Name, other)
		}
		seen[in.Digest()] = kind.Field(i).Name
	}
	if again := whole().Digest(); whole().Digest() != again {
		t.Error("two digests of one thing")
	}
	const stable = "sha256:e4712f1c48a15780f3ec71005171e3791fd22cfb76347df4bf7af5151338e0ff"
	if d := (fingerprint.Inputs{Platform: "linux/arm64"}).Digest(); d != stable {
		t.Errorf("the digest is %s: digests in registries do not match any more, so change Format", d)
	}
}

// TestFiles changes one thing about a context at a time.
func TestFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(dir string) error
		counts bool
	}{
		"nothing":      {func(string) error { return nil }, false},
		"content":      {func(dir string) error { return os.WriteFile(filepath.Join(dir, "text"), []byte("tset"), 0o600) }, true},
		"mode":         {func(dir string) error { return os.Chmod(filepath.Join(dir, "text"), 0o700) }, true},
		"mode of dir":  {func(dir string) error { return os.Chmod(filepath.Join(dir, "sub"), 0o700) }, true},
		"name":         {func(dir string) error { return os.Rename(filepath.Join(dir, "text"), filepath.Join(dir, "next")) }, true},
		"new file":     {func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub", "new"), nil, 0o600) }, true},
		"new dir":      {func(dir string) error { return os.Mkdir(filepath.Join(dir, "new"), 0o755) }, true},
		"removed":      {func(dir string) error { return os.Remove(filepath.Join(dir, "text")) }, true},
		"link":         {func(dir string) error { return relink(dir, "other") }, true},
		"same link":    {func(dir string) error { return relink(dir, "text") }, false},
		"time":         {func(dir string) error { return os.Chtimes(filepath.Join(dir, "text"), time.Now(), time.Unix(1, 0)) }, false},
		"ignored":      {func(dir string) error { return os.WriteFile(filepath.Join(dir, "ignored"), []byte("y"), 0o600) }, false},
		"ignored dir":  {func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub", "x.log"), nil, 0o600) }, false},
		"not ignored":  {func(dir string) error { return os.WriteFile(filepath.Join(dir, "kept.log"), []byte("y"), 0o600) }, true},
		"kind":         {func(dir string) error { return remake(dir) }, true},
		"moved a byte": {func(dir string) error { return os.Rename(filepath.Join(dir, "sub", "a"), filepath.Join(dir, "suba")) }, true},
	} {
		dir := t.TempDir()
		fill(t, dir)
		before := digest(t, dir)
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		if changed := digest(t, dir) != before; changed != c.counts {
			t.Errorf("%s: the digest changes: %t, want %t", name, changed, c.counts)
		}
	}
}

func fill(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"text", "ignored", "sub/a", "kept.log"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("text", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
}

func relink(dir, to string) error {
	if err := os.Remove(filepath.Join(dir, "link")); err != nil {
		return err
	}
	return os.Symlink(to, filepath.Join(dir, "link"))
}

func remake(dir string) error {
	if err := os.Remove(filepath.Join(dir, "text")); err != nil {
		return err
	}
	return os.Mkdir(filepath.Join(dir, "text"), 0o700)
}

func digest(t *testing.T, dir string) string {
	t.Helper()
	tree, err := snapshot.New(dir, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := fingerprint.Files(context.Background(), tree, []string{"ignored", "**/*.log", "!kept.log"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
