package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// fakeRelease returns a folder with the files of a release that action.yml needs. Its mtool is a shell script.
func fakeRelease(t *testing.T) string {
	t.Helper()
	target := "linux-" + runtime.GOARCH
	dir, name := t.TempDir(), "mtool-1.0.0-"+target
	for file, body := range map[string]string{
		"mtool": "#!/bin/sh\necho mtool 1.0.0 linux/amd64 go1.26\n", "man/man1/mtool.1": "", "completions/mtool.bash": "",
		"completions/_mtool": "", "completions/mtool.fish": "",
	} {
		path := filepath.Join(dir, name, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "-czf", filepath.Join(dir, name+".tar.gz"),
		name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	archive, err := os.ReadFile(filepath.Join(dir, name+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	sums := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(archive), name)
	if err := os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(sums), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAction runs the steps of action.yml: they download a release and check it; nothing is compiled.
func TestAction(t *testing.T) {
	t.Parallel()
	release := fakeRelease(t)
	server := httptest.NewServer(http.FileServer(http.Dir(release)))
	t.Cleanup(server.Close)
	broken := fakeRelease(t)
	if err := os.WriteFile(filepath.Join(broken, "SHA256SUMS"),
		[]byte(strings.Repeat("0", 64)+"  "+archiveIn(t, broken)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	untagged := newLocalAction(t)
	tagged := newLocalAction(t) // as GitHub delivers it for the ref v1
	if err := os.WriteFile(filepath.Join(tagged.root, "cmd", "internal", "cli", "archived.txt"),
		[]byte("0123 2026-11-30T12:00:00Z tag: v1, tag: v1.0.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		action *localAction
		with   map[string]string
		fails  string
	}{
		"a release": {
			untagged,
			map[string]string{"version": "v1.0.0", "download": "file://" + release, "mode": "client"},
			"",
		},
		"over HTTP": {
			untagged,
			map[string]string{"version": "v1.0.0", "download": server.URL, "mode": "client"},
			"",
		},
		"the tag of the action": {tagged, map[string]string{"download": "file://" + release, "mode": "client"}, ""},
		"wrong sum": {
			untagged,
			map[string]string{"version": "v1.0.0", "download": "file://" + broken, "mode": "client"},
			"has the sum",
		},
		"no release": {
			untagged,
			map[string]string{"version": "v1.0.0", "download": "file:///nowhere", "mode": "client"},
			"cannot read",
		},
		"an unknown mode": {
			untagged,
			map[string]string{"version": "v1.0.0", "download": "file://" + release, "mode": "server"},
			"mode is build or client",
		},
		"an unknown input": {untagged, map[string]string{"vresion": "v1.0.0"}, "no input vresion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := &workflowRun{t: t, dir: t.TempDir(), action: test.action}
			j := &workflowJob{workflowRun: run, values: map[string]string{}, dir: run.dir}
			err := j.run(nil, nil, []workflowStep{{Uses: "./mtool", With: test.with}})
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("got %v, want %s", err, test.fails)
				}
				return
			}
			bin := filepath.Join(j.dir, "temp", "mtool", "bin")
			if err != nil || !slices.Equal(j.path, []string{bin}) || j.values["steps.installed.outputs.version"] != "1.0.0" {
				t.Errorf("%v, PATH %v, version %q", err, j.path, j.values["steps.installed.outputs.version"])
			}
		})
	}
}

func archiveIn(t *testing.T, release string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(release, "*.tar.gz"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return filepath.Base(found[0])
}
