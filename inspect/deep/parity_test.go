package deep_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/rootfs"
)

// snapshot returns the tars that testdata/rootfs.sh --dpkg made of one release, with dpkg's status of their packages.
func snapshot(t *testing.T) (platforms, tars []string) {
	t.Helper()
	for _, d := range debians {
		path := filepath.Join("..", "..", ".deps", "debian", d.arch+"-dpkg.tar")
		if dir := os.Getenv("MTOOL_SNAPSHOT"); dir != "" {
			path = filepath.Join(dir, d.arch+"-dpkg.tar")
		}
		if _, err := os.Stat(path); err == nil && d.arch != "riscv64" { // it is another release
			platforms, tars = append(platforms, d.platform), append(tars, path)
		}
	}
	const enough = 5
	if len(tars) < enough {
		if slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "snapshot") {
			t.Fatalf("%d file systems of one snapshot, want %d: testdata/rootfs.sh --dpkg makes them", len(tars), enough)
		}
		t.Skipf("%d file systems of one snapshot, want %d", len(tars), enough)
	}
	return platforms, tars
}

// statusOf returns dpkg's status file in a file system.
func statusOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("%s has no dpkg status file", path)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimPrefix(h.Name, "./") == "var/lib/dpkg/status" {
			body, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
	}
}

// withoutPackage returns a status without one package.
func withoutPackage(status, name string) string {
	return regexp.MustCompile(`(?ms)^Package: `+regexp.QuoteMeta(name)+`\n.*?\n\n`).ReplaceAllString(status, "")
}

// plants returns 20 differences to plant in one of several images, by the name under which each is reported.
func plants(status string) (changes map[string]func(a *archive)) {
	changes = map[string]func(a *archive){}
	put := func(name, changed string) {
		changes[name] = func(a *archive) { a.put("var/lib/dpkg/status", 0o644, []byte(changed)) }
	}
	for _, name := range []string{"bash", "libc6", "coreutils", "perl-base", "tar"} {
		put("package "+name,
			regexp.MustCompile(`(?ms)(^Package: `+name+`\n.*?^Version: )`).ReplaceAllString(status, "${1}99:"))
	}
	for _, name := range []string{"sed", "gzip", "findutils", "hostname", "login"} {
		put("package "+name, withoutPackage(status, name))
	}
	for _, name := range []string{"curl", "jq", "openssl", "vim", "nginx"} {
		put("package "+name, status+"Package: "+name+"\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n")
	}
	for _, name := range []string{"helm", "kubectl", "yq", "app", "entry.sh"} {
		changes["program "+name] = func(a *archive) { a.put("usr/local/bin/"+name, 0o755, []byte("#!/bin/sh\ntrue\n")) }
	}
	return changes
}

// Systems for several architectures from one snapshot do not differ. Each of 20 planted differences is found, and
// nothing else.
func TestSnapshotIsOneProgram(t *testing.T) {
	t.Parallel()
	platforms, tars := snapshot(t)
	const planted, where = 20, 1
	changes := plants(statusOf(t, tars[where]))
	if len(changes) != planted {
		t.Fatalf("%d differences are planted", len(changes))
	}
	var mu sync.Mutex
	facts := map[v1.Hash]rootfs.LayerFacts{}
	remember := deep.Options{
		Known: func(layer v1.Hash) (rootfs.LayerFacts, bool) {
			mu.Lock()
			defer mu.Unlock()
			f, ok := facts[layer]
			return f, ok
		},
		Keep: func(f rootfs.LayerFacts) {
			mu.Lock()
			defer mu.Unlock()
			facts[f.Digest] = f
		},
	}
	compared := func(change func(a *archive)) (all []parity.Difference) {
		var report inspect.Report
		for n, path := range tars {
			s := newStack()
			s.file(t, path)
			if n == where && change != nil {
				a := newTar()
				change(a)
				s.tar(a.close(t))
			}
			report.Images = append(report.Images, s.image(t, platforms[n], "/bin/bash"))
		}
		r := inspected(t, report, remember)
		var entries []parity.Entry
		for n, has := range r.Contents {
			entries = append(entries, parity.Entry{Image: &report.Images[n], Contents: has})
		}
		return parity.Compare(entries)
	}
	if all := compared(nil); len(all) > 0 {
		t.Errorf("the systems differ: %+v", all)
	}
	for name, change := range changes {
		all := compared(change)
		if len(all) != 1 || all[0].What != name {
			t.Errorf("%s: found %s", name, fmt.Sprint(all))
		}
	}
	t.Logf("%d systems (%s), %d planted differences", len(platforms), strings.Join(platforms, ", "), planted)
}
