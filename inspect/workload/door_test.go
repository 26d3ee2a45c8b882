package workload_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mtool/inspect/workload"
)

// opened reports whether any library opens a file in the watched directories.
type opened struct {
	t  *testing.T
	fd int
}

func watch(t *testing.T, dirs ...string) opened {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Skipf("inotify: %v", err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	for _, dir := range dirs {
		if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN); err != nil {
			t.Fatal(err)
		}
	}
	return opened{t, fd}
}

// any reports whether a file was opened since the last call.
func (o opened) any() bool {
	o.t.Helper()
	n, err := unix.Read(o.fd, make([]byte, 64<<10))
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		o.t.Fatal(err)
	}
	return n > 0
}

// folder returns a directory with files that Compose would find by itself. Opening some of them hangs; the others name
// another image.
func folder(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "shop")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o750); err != nil {
		t.Fatal(err)
	}
	write := func(name, data string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const poison = "services: {db: {image: poison}, poison: {image: poison}}\n"
	for _, name := range []string{"parts.yaml", "base.yaml", "sub/parts.yaml", "../outside.yaml"} {
		write(name, poison)
	}
	for _, name := range []string{".env", "sub/.env", "vars", "../outside.env"} {
		write(name, "TAG=poison\n")
	}
	for _, name := range []string{"pipe", "pipe.yaml", "pipes/.env"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../outside.yaml", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	return dir
}

var errRefused = errors.New("reading it is refused")

// Only Options.Read opens the files that a Compose file names.
func TestComposeOpensNoFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	seen := watch(t, dir, filepath.Join(dir, "sub"), filepath.Join(dir, "pipes"), filepath.Dir(dir))
	inside := map[string]string{
		"parts.yaml":     "services: {db: {image: 'db:${TAG-none}'}}\n",
		"base.yaml":      "services: {db: {image: 'base:${TAG-none}', env_file: pipe}}\n",
		"sub/parts.yaml": "services: {db: {image: 'sub:${TAG-none}'}}\n", "vars": "TAG=vars\n",
	}
	read := func(path string) ([]byte, error) {
		name, err := filepath.Rel(dir, path)
		switch text, there := inside[name]; {
		case there:
			return []byte(text), nil
		case err != nil, filepath.Base(path) != ".env", !filepath.IsLocal(name), strings.HasPrefix(name, "pipes"):
			return nil, errRefused
		}
		return nil, fs.ErrNotExist
	}
	for file, want := range map[string]string{
		"include: [parts.yaml]":                                               "db:none",
		"include: [{path: parts.yaml, env_file: vars}]":                       "db:vars",
		"include: [sub/parts.yaml]":                                           "sub:none",
		"services: {a: {extends: {file: base.yaml, service: db}}}":            "base:none",
		"services: {a: {image: x, env_file: pipe, label_file: pipe}}":         "x",
		"services: {a: {image: x, build: {context: pipe, dockerfile: pipe}}}": "x",
		"services: {a: {image: x, volumes: ['~/x:/y', {type: bind, source: pipe, target: /z}], configs: [c]}}\nconfigs: {c: {file: pipe}}": "x",
		"include: [{path: parts.yaml, project_directory: sub}]":                                                                            "db:none",
		"include: [{path: parts.yaml, env_file: /proc/self/environ}]":                                                                      "",
		"include: [{path: parts.yaml, env_file: pipe}]":                                                                                    "",
		"include: [{path: parts.yaml, env_file: [vars, ../outside.env]}]":                                                                  "",
		"include: [{path: parts.yaml, env_file: /dev/null}]":                                                                               "db:none",
		"include: [{path: parts.yaml, project_directory: ..}]":                                                                             "",
		"include: [{path: parts.yaml, project_directory: /proc/self}]":                                                                     "",
		"include: [{path: parts.yaml, project_directory: pipes}]":                                                                          "",
		"include: [pipe.yaml]":                                                         "",
		"include: [link.yaml]":                                                         "",
		"include: [{path: [parts.yaml, pipe.yaml]}]":                                   "",
		"include: [../outside.yaml]":                                                   "",
		"include: ['${NO-/proc/self/environ}']":                                        "",
		"services: {a: {extends: {file: ../outside.yaml, service: db}}}":               "",
		"services: {a: {extends: {file: '${NO-pipe.yaml}', service: db}}}":             "",
		"services: {a: {extends: {file: link.yaml, service: db}}}":                     "",
		"include: [\"\\ufdd00\\ufdd0\"]":                                               "",
		"services: {a: {extends: {file: \"parts.yaml\\ufdd00\\ufdd0\", service: db}}}": "",
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			found, err := workload.Read(filepath.Join(dir, "compose.yaml"), []byte(file), workload.Options{Read: read})
			switch {
			case want == "" && !errors.Is(err, workload.ErrFile):
				t.Errorf("%s: got %v, want an error", file, err)
			case want != "" && (err != nil || len(found.Uses) != 1 || found.Uses[0].Image != want):
				t.Errorf("%s: got %v, %v, want %s", file, found.Uses, err, want)
			}
		}()
		select {
		case <-done:
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s: reading it hangs", file)
		}
		if seen.any() {
			t.Errorf("%s: a file was opened without Options.Read", file)
		}
	}
	if _, err := os.ReadFile(filepath.Join(dir, "sub", ".env")); err != nil || !seen.any() {
		t.Errorf("an opened file is not noticed: %v", err)
	}
}
