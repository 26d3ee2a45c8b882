package worker

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestParentOf(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "12")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	stat := filepath.Join(dir, "stat")
	for text, want := range map[string]bool{
		"12 (cat) S 11 12 12 0":            true,
		"12 (a) S 1 (nested) S) S 11 12 0": true,
		"12 (cat) Z 11 12 12 0":            false,
		"":                                 false,
	} {
		if err := os.WriteFile(stat, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if pid, parent, ok := parentOf(stat); ok != want || ok && (pid != 12 || parent != 11) {
			t.Errorf("%q: %d, %d, %v", text, pid, parent, ok)
		}
	}
}

func TestDescendants(t *testing.T) {
	t.Parallel()
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	if !slices.Contains(descendants(), child.Process.Pid) {
		t.Error("a child is not found")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if slices.Contains(descendants(), child.Process.Pid) {
		t.Error("a dead child is found")
	}
}

func TestShortenRoot(t *testing.T) {
	t.Parallel()
	for path, plain := range map[string]bool{
		"/data/anna/.cache/mtool/worker/subids": true, "/a:b": false, "/a,b": false,
		"/a b": false, "/ä": false, `/a\\b`: false,
	} {
		if plainPath().MatchString(path) != plain {
			t.Errorf("%q: plain: %v", path, !plain)
		}
	}
	if got, err := shortenRoot(config{Root: "/data/anna/.cache/mtool/worker/subids"}); err != nil ||
		got != "/data/anna/.cache/mtool/worker/subids" {
		t.Errorf("a plain path was changed to %q, %v", got, err)
	}
	if mountPoint(false) != "/proc/fs/nfsd" {
		t.Errorf("no mount point in this kernel's /proc: got %q", mountPoint(false))
	}
}
