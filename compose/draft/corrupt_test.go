package draft_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mtool/compose/draft"
)

// changed returns the file of a valid draft after change has edited its members.
func changed(t *testing.T, change func(map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	if err := draft.Open(dir).Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, files(t, dir)[0]))
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]any
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	change(f)
	if data, err = json.Marshal(f); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCorrupt(t *testing.T) {
	t.Parallel()
	same := func(map[string]any) {}
	with := func(key string, value any) string {
		return changed(t, func(f map[string]any) { f[key] = value })
	}
	tests := map[string]string{
		"garbage":       "garbage",
		"empty":         "",
		"truncated":     changed(t, same)[:200],
		"trailing data": changed(t, same) + "{}",
		"newer":         with("schema", "mtool.draft/v2"),
		"no schema":     changed(t, func(f map[string]any) { delete(f, "schema") }),
		"unknown field": with("signature", "x"),
		"another name":  with("name", "docker.io/library/other:v1"),
		"bad type":      with("type", "rocket"),
		"bad row":       with("entries", []any{map[string]any{"row": 1, "source": "demo:x"}}),
		"bad source":    with("entries", []any{map[string]any{"row": map[string]any{}, "source": "::"}}),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testCorrupt(t, content)
		})
	}
}

// testCorrupt checks that a draft with that content is refused, listed and removable, and that another draft is not
// affected.
func testCorrupt(t *testing.T, content string) {
	dir := t.TempDir()
	s := draft.Open(dir)
	for _, name := range []string{"demo:v1", "demo:v2"} {
		if err := s.Save(t.Context(), list(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, files(t, dir)[0])
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Load(t.Context(), ref(t, "demo:v1"))
	wantError(t, err, draft.ErrCorrupt, file)
	if e := (*draft.CorruptError)(nil); !errors.As(err, &e) || e.Name != "demo:v1" {
		t.Errorf("got %v, want an error with the name of the draft", err)
	}
	items, err := s.List(t.Context())
	if err != nil || len(items) != 2 || !errors.Is(items[0].Err, draft.ErrCorrupt) || items[1].Err != nil {
		t.Fatalf("got %+v, %v, want the corrupt one and the other", items, err)
	}
	if items[0].Ref.String() != "draft:docker.io/library/demo:v1" || items[0].File != file {
		t.Errorf("got %v in %s", items[0].Ref, items[0].File)
	}
	if err := s.Remove(t.Context(), items[0].Ref); err != nil {
		t.Errorf("a corrupt draft can't be removed: %v", err)
	}
	if err := s.Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Error(err)
	}
}

// Unknown files are listed as corrupt drafts if their names end like a draft's, unless they are hidden.
func TestListUnknownFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, f := range []string{"notes.json", ".hidden.json", "README", ".demo.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	items, err := draft.Open(dir).List(t.Context())
	if err != nil || len(items) != 1 || !errors.Is(items[0].Err, draft.ErrCorrupt) ||
		hintOf(items[0].Err) != "delete the file" {
		t.Errorf("got %+v, %v", items, err)
	}
}

// A temporary file left by a killed process is not listed, and the next write removes it.
func TestTemporaryFileOfKilledProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := draft.Open(dir)
	if err := s.Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	partial := filepath.Join(dir, "."+files(t, dir)[0]+".tmp")
	if err := os.WriteFile(partial, []byte(strings.Repeat("{", 1<<16)), 0o600); err != nil {
		t.Fatal(err)
	}
	if items, err := s.List(t.Context()); err != nil || len(items) != 1 || items[0].Err != nil {
		t.Errorf("got %+v, %v", items, err)
	}
	if err := s.Save(t.Context(), list(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("got files %v", got)
	}
	if _, err := s.Load(t.Context(), ref(t, "demo:v1")); err != nil {
		t.Error(err)
	}
}
