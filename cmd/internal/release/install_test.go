package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// published makes a release for linux-amd64 whose program is a shell script.
func published(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var archive bytes.Buffer
	files := []file{
		{"mtool", 0o755, []byte("#!/bin/sh\necho mtool 1.0.0 \"$@\"\n")},
		{"man/man1/mtool.1", 0o644, []byte("page")},
		{"completions/mtool.bash", 0o644, []byte("bash")},
		{"completions/_mtool", 0o644, []byte("zsh")},
		{"completions/mtool.fish", 0o644, []byte("fish")},
	}
	if err := writeTarGz(&archive, below("mtool-1.0.0-linux-amd64", files), noon); err != nil {
		t.Fatal(err)
	}
	const name = "mtool-1.0.0-linux-amd64.tar.gz"
	put(t, filepath.Join(dir, name), archive.String())
	put(t, filepath.Join(dir, "SHA256SUMS"),
		fmt.Sprintf("%x  %s\n%x  other.deb\n", sha256.Sum256(archive.Bytes()), name, sha256.Sum256(nil)))
	return dir
}

func put(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
}

// machine makes a directory for PATH with a uname that prints this system and architecture.
func machine(t *testing.T, system, arch string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "uname"), "#!/bin/sh\ncase $1 in -s) echo "+system+" ;; -m) echo "+arch+" ;; esac\n")
	put(t, filepath.Join(dir, "getconf"), "#!/bin/sh\necho 64\n")
	return dir
}

// without makes a directory for PATH with all programs that install.sh uses, except those in missing.
func without(t *testing.T, missing ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name := range strings.FieldsSeq(
		"sh cat cp chmod cut dirname grep gzip head mkdir mktemp mv od rm sha256sum tar tr uname getconf curl wget") {
		if path, err := exec.LookPath(name); err == nil && !slices.Contains(missing, name) {
			if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// install runs install.sh and returns its output and the installed files.
func install(t *testing.T, path, address string, env ...string) (string, []string, error) {
	t.Helper()
	home, tmp := t.TempDir(), t.TempDir()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join("..", "..", "..", "install.sh"))
	cmd.Env = append([]string{"PATH=" + path, "HOME=" + home, "TMPDIR=" + tmp, "MTOOL_DOWNLOAD=" + address}, env...)
	out, err := cmd.CombinedOutput()
	var files []string
	for _, dir := range []string{home, tmp} {
		if err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, name)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return string(out), files, err
}

func TestInstall(t *testing.T) {
	t.Parallel()
	release := published(t)
	server := httptest.NewServer(http.FileServer(http.Dir(release)))
	defer server.Close()
	path := machine(t, "Linux", "x86_64") + ":" + os.Getenv("PATH")
	for _, address := range []string{"file://" + release, server.URL, server.URL + "/"} {
		out, files, err := install(t, path, address)
		want := []string{
			".local/bin/mtool", ".local/share/bash-completion/completions/mtool",
			".local/share/fish/vendor_completions.d/mtool.fish",
			".local/share/man/man1/mtool.1", ".local/share/zsh/site-functions/_mtool",
		}
		if err != nil || !slices.Equal(files, want) ||
			!strings.Contains(out, "/.local/bin/mtool: mtool 1.0.0 version\nadd it to PATH: ") {
			t.Errorf("%s: %v\n%s\n%v", address, err, out, files)
		}
	}
	// Without curl or without wget; and without both, for a release that is a local file.
	for _, missing := range [][]string{{"curl"}, {"wget"}} {
		if out, _, err := install(t, machine(t, "Linux", "amd64")+":"+without(t, missing...), server.URL); err != nil &&
			!strings.Contains(out, "neither curl nor wget") {
			t.Errorf("without %v: %v\n%s", missing, err, out)
		}
	}
	if out, _, err := install(t, machine(t, "Linux", "amd64")+":"+without(t, "curl", "wget"),
		"file://"+release); err != nil {
		t.Errorf("from a file, without curl and wget: %v\n%s", err, out)
	}
}

// Each of these releases or machines is refused, and no file is left behind.
func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	good := published(t)
	const archive = "mtool-1.0.0-linux-amd64.tar.gz"
	changed := func(name string, change func([]byte) []byte) string {
		dir := published(t)
		body, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name), string(change(body)))
		return "file://" + dir
	}
	linux := machine(t, "Linux", "x86_64") + ":" + os.Getenv("PATH")
	for name, test := range map[string]struct{ path, address, want string }{
		"changed archive": {
			linux, changed(archive, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
			"has the sum",
		},
		"half an archive": {linux, changed(archive, func(b []byte) []byte { return b[:len(b)/2] }), "has the sum"},
		"no sum": {
			linux, changed("SHA256SUMS", func(b []byte) []byte { return b[1:] }),
			"no archive for linux-amd64",
		},
		"two sums": {
			linux, changed("SHA256SUMS", func(b []byte) []byte { return append(b, b...) }),
			"more than one archive",
		},
		"a path instead of a name": {
			linux,
			changed("SHA256SUMS", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("  mtool"), []byte("  ../mtool")) }),
			"no archive",
		},
		"no release":                 {linux, "file:///nowhere", "cannot read"},
		"plain HTTP":                 {linux, "http://127.0.0.1.example.com/", "not https"},
		"plain HTTP, a port as user": {linux, "http://127.0.0.1:80@example.com/", "not an address"},
		"no address":                 {linux, "", "set MTOOL_DOWNLOAD"},
		"another system": {
			machine(t, "Plan9", "x86_64") + ":" + os.Getenv("PATH"), "file://" + good,
			"no mtool for Plan9",
		},
		"another architecture": {
			machine(t, "Linux", "alpha") + ":" + os.Getenv("PATH"), "file://" + good,
			"no mtool for alpha",
		},
		"no archive for the target": {
			machine(t, "Darwin", "arm64") + ":" + os.Getenv("PATH"), "file://" + good,
			"no archive for darwin-arm64",
		},
		"neither curl nor wget": {
			machine(t, "Linux", "x86_64") + ":" + without(t, "curl", "wget"), "http://127.0.0.1:9/",
			"neither curl nor wget is here",
		},
		"no sha256sum": {
			machine(t, "Linux", "x86_64") + ":" + without(t, "sha256sum"), "file://" + good,
			"no sha256sum",
		},
	} {
		out, files, err := install(t, test.path, test.address)
		if err == nil || !strings.Contains(out, test.want) || len(files) > 0 {
			t.Errorf("%s: %v, left %v\n%s", name, err, files, out)
		}
	}
}
