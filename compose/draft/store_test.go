package draft_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/draft"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func ref(t *testing.T, s string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func attested(arch string) registrytest.Built {
	image := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}})
	return registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image}}, Attested: true})
}

// entries returns the entries of b, read as a source called name.
func entries(t *testing.T, b registrytest.Built, name string) []compose.Entry {
	t.Helper()
	r, err := inspect.Read(t.Context(), b.Object(ref(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	es, _, err := compose.FromReport(r, compose.SelectOptions{As: ref(t, name)})
	if err != nil {
		t.Fatal(err)
	}
	return es
}

func list(t *testing.T, name string) compose.List {
	t.Helper()
	return compose.List{Name: ref(t, name), Entries: entries(t, attested("amd64"), "demo:v1-amd64")}
}

func digest(t *testing.T, l compose.List) v1.Hash {
	t.Helper()
	m, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return m.Digest
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names
}

func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want %q", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not contain %q", err, w)
		}
	}
}

func hintOf(err error) string {
	var h registry.Hinter
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "drafts")
	s := draft.Open(dir)
	published := attested("s390x")
	r, err := inspect.Read(t.Context(), published.Object(ref(t, "r.example/demo:v1")))
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := compose.FromPublished(r)
	if err != nil {
		t.Fatal(err)
	}
	l.Type = compose.TypeOCI
	for _, source := range []struct{ arch, name string }{
		{"amd64", "demo:v1-amd64"},
		{"arm64", "store:demo:v1-arm64"},
		{"ppc64le", "oci:some/dir:tag"},
		{"riscv64", "docker://demo:x"},
		{"386", "r.example/x@" + published.Digest().String()},
	} {
		if l, _, err = l.Add(entries(t, attested(source.arch), source.name), compose.AddOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	edit := compose.Edit{OSVersion: "1<2", Annotations: map[string]string{"url": "http://x/?a=b&c,<d>"}, Force: true}
	if l, _, err = l.Annotate("linux/amd64", edit); err != nil {
		t.Fatal(err)
	}
	if l, _, err = l.AnnotateList(compose.Edit{Annotations: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), ref(t, "draft:r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, got) != digest(t, l) || got.Base.Digest != published.Digest() {
		t.Error("the loaded draft encodes to other bytes than the saved list")
	}
	for i, e := range got.Entries {
		wantEntry(t, e, l.Entries[i])
	}
	before := content(t, dir)
	if err := s.Save(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if after := content(t, dir); after != before {
		t.Errorf("saving a loaded draft changed it from\n%s\nto\n%s", before, after)
	}
}

func wantEntry(t *testing.T, got, want compose.Entry) {
	t.Helper()
	if string(got.Row) != string(want.Row) || !reflect.DeepEqual(got.Config, want.Config) ||
		!reflect.DeepEqual(got.Edits, want.Edits) || got.SourceDigest != want.SourceDigest ||
		got.Origin != want.Origin || got.RowNumber != want.RowNumber || len(got.Attestations) != 1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	a, b := got.Source, want.Source
	if a.Bare != b.Bare || a.Transport != b.Transport || a.Tag != b.Tag || a.Digest != b.Digest {
		t.Errorf("got source %+v, want %+v", a, b)
	}
	if a.IsFile() && !filepath.IsAbs(a.Path) {
		t.Errorf("source %v depends on the working directory", a)
	}
}

// content returns the content of the only file in dir.
func content(t *testing.T, dir string) string {
	t.Helper()
	names := files(t, dir)
	if len(names) != 1 {
		t.Fatalf("got files %v, want one file", names)
	}
	data, err := os.ReadFile(filepath.Join(dir, names[0]))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFailuresLeaveNoFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "drafts")
	s := draft.Open(dir)
	_, err := s.Load(t.Context(), ref(t, "demo:v1"))
	wantError(t, err, registry.ErrNotFound, "docker.io/library/demo:v1")
	if e := (*draft.NotFoundError)(nil); !errors.As(err, &e) || e.Name != "demo:v1" {
		t.Errorf("got %v, want an error with the name of the draft", err)
	}
	_, err = s.Update(t.Context(), ref(t, "demo:v1"), func(l compose.List) (compose.List, error) { return l, nil })
	wantError(t, err, registry.ErrNotFound)
	wantError(t, s.Remove(t.Context(), ref(t, "demo:v1")), registry.ErrNotFound)
	if items, err := s.List(t.Context()); err != nil || len(items) != 0 {
		t.Errorf("got %v, %v", items, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("reading created the directory")
	}
	if err := s.Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("got files %v, want only the draft", got)
	}
	if err := s.Remove(t.Context(), ref(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("got files %v, want none", got)
	}
}

func TestEmptyDraft(t *testing.T) {
	t.Parallel()
	s := draft.Open(t.TempDir())
	if err := s.Save(t.Context(), compose.List{Name: ref(t, "demo:v1")}); err != nil {
		t.Fatal(err)
	}
	if l, err := s.Load(t.Context(), ref(t, "demo:v1")); err != nil || len(l.Entries) != 0 {
		t.Errorf("got %v, %v, want the empty list", l, err)
	}
}

func TestUpdateFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := draft.Open(dir)
	if err := s.Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	_, err := s.Update(t.Context(), ref(t, "demo:v1"), func(l compose.List) (compose.List, error) {
		l.Entries = nil
		return l, boom
	})
	wantError(t, err, boom)
	if l, err := s.Load(t.Context(), ref(t, "demo:v1")); err != nil || len(l.Entries) != 1 {
		t.Errorf("got %v, %v, want the draft as it was", l, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, s.Save(ctx, list(t, "demo:v1")), context.Canceled)
}

// On some file systems a draft is missing for a moment while it is replaced.
func TestLoadWhileReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := draft.Open(dir)
	l := list(t, "draft:list:v1")
	if err := s.Save(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*list*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("drafts %q, %v", found, err)
	}
	loaded := make(chan error, 1)
	_, err = s.Update(t.Context(), l.Name, func(l compose.List) (compose.List, error) {
		if err := os.Rename(found[0], found[0]+".away"); err != nil {
			return l, err
		}
		go func() {
			_, err := s.Load(context.Background(), l.Name)
			loaded <- err
		}()
		time.Sleep(50 * time.Millisecond)
		return l, os.Rename(found[0]+".away", found[0])
	})
	if err := errors.Join(err, <-loaded); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), l.Name); err != nil {
		t.Fatal(err)
	}
	_, err = s.Load(t.Context(), l.Name)
	wantError(t, err, registry.ErrNotFound)
}

// A write that fails leaves neither a partial draft nor a temporary file.
func TestSaveFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := draft.Open(dir)
	if err := s.Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	name := files(t, dir)[0]
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, name, "blocks the rename"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), list(t, "demo:v1")); err == nil {
		t.Fatal("a directory was replaced by a draft")
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("got files %v, want no temporary file", got)
	}
}

func TestRefusedNames(t *testing.T) {
	t.Parallel()
	s := draft.Open(t.TempDir())
	l := list(t, "demo:v1")
	for _, name := range []string{"demo@" + digest(t, l).String(), "demo:v1@" + digest(t, l).String(), "oci:dir:v1"} {
		l.Name = ref(t, name)
		wantError(t, s.Save(t.Context(), l), registry.ErrUsage, name)
		_, err := s.Load(t.Context(), l.Name)
		wantError(t, err, registry.ErrUsage)
	}
}

// Names that other tools confuse are different drafts, even if the file system folds case or a name is too long for a
// file.
func TestNamesDoNotCollide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := draft.Open(dir)
	long := "r.example/" + strings.Repeat("a/b_c-", 40) + "x:"
	names := []string{
		"a_b:1", "a/b:1", "a-b:1", "a.b:1", "one:c1-x", "one-c1:x", "one/c1:x", "demo:v1", "demo:V1", "demo:latest",
		"r.example/demo:v1", "r.example:5000/demo:v1", "r.example/5000/demo:v1", long + "v1", long + "v2",
	}
	seen := map[string]string{}
	for _, name := range names {
		l := list(t, name)
		l.Annotations = map[string]string{"name": name}
		if err := s.Save(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		l, err := s.Load(t.Context(), ref(t, name))
		if err != nil || l.Annotations["name"] != name {
			t.Errorf("loading %q: got %q, %v", name, l.Annotations["name"], err)
		}
	}
	for _, f := range files(t, dir) {
		if folded := strings.ToLower(f); seen[folded] != "" {
			t.Errorf("%s and %s are one file on a file system that folds case", f, seen[folded])
		} else {
			seen[folded] = f
		}
	}
	items, err := s.List(t.Context())
	if err != nil || len(items) != len(names) {
		t.Fatalf("got %d items, %v, want %d", len(items), err, len(names))
	}
	for i := range items[1:] {
		if items[i].Ref.Name() >= items[i+1].Ref.Name() {
			t.Errorf("%s is before %s", items[i].Ref, items[i+1].Ref)
		}
	}
}
