package testparts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestEnv(t *testing.T) {
	t.Parallel()
	env := Env(t)
	home, bin := "", ""
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "HOME":
			home = value
		case "PATH":
			bin, _, _ = strings.Cut(value, ":")
		}
		if strings.Contains(value, os.Getenv("HOME")+"/") && name != "PATH" {
			t.Errorf("%s is of the test's user", kv)
		}
	}
	Need(t, Podman)
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "podman"), args...)
		cmd.Env = env
		out, err := cmd.Output() // not stderr, which has many warnings
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	if got := run("images", "-q"); got != "" {
		t.Errorf("podman has images: %q", got)
	}
	if got := run("info", "--format", "{{.Store.GraphRoot}}"); os.Geteuid() != 0 && !strings.HasPrefix(got, home) {
		t.Errorf("podman keeps images in %q, which is not below %q", got, home)
	}
	if entries, err := os.ReadDir(filepath.Join(home, "lib/containers")); os.Geteuid() == 0 && len(entries) == 0 {
		t.Errorf("podman keeps its images elsewhere: %v", err)
	}
}
