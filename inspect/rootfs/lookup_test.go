package rootfs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/rootfs"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	tree := merge(t,
		lines{
			"elf usr/bin/busybox arm64", "link usr/bin/sh busybox", "link bin usr/bin", "link lib64 /usr/lib64",
			"elf usr/lib64/ld.so arm64", "plain etc/hosts", "dir empty/",
		},
		lines{
			"link a/up ../../../usr/bin/sh", "link a/abs /bin/sh", "link a/self self", "link a/x y", "link a/y x",
			"link a/file /etc/hosts/",
			"link a/here .", "link a/top /", "link a/nothing /nowhere",
		})
	tests := []struct {
		path, want string // want: the path without links; "" is the root, or an error
		links      int
		err        error
	}{
		{path: "/usr/bin/busybox", want: "usr/bin/busybox"},
		{path: "usr/bin/busybox", want: "usr/bin/busybox"},
		{path: "//usr/./bin//busybox", want: "usr/bin/busybox"},
		{path: "/bin/sh", want: "usr/bin/busybox", links: 2},
		{path: "/lib64/ld.so", want: "usr/lib64/ld.so", links: 1},
		{path: "/a/up", want: "usr/bin/busybox", links: 2},
		{path: "/a/abs", want: "usr/bin/busybox", links: 3},
		{path: "/a/here/here/abs", want: "usr/bin/busybox", links: 5},
		{path: "/a/top/etc/hosts", want: "etc/hosts", links: 1},
		{path: "/../../etc/../../etc/hosts", want: "etc/hosts"},
		{path: "/bin/../lib64/ld.so", want: "usr/lib64/ld.so", links: 1}, // the link leads to /usr/bin, so ".." is /usr
		{path: "/empty", want: "empty"},
		{path: "/empty/", want: "empty"},
		{path: "/bin/", want: "usr/bin", links: 1},
		{path: "/", want: ""},
		{path: "", want: ""},
		{path: "/a/self", err: rootfs.ErrLoop},
		{path: "/a/x", err: rootfs.ErrLoop},
		{path: "/a/nothing", err: rootfs.ErrMissing},
		{path: "/A/abs", err: rootfs.ErrMissing},
		{path: "/etc/hosts/x", err: rootfs.ErrMissing},
		{path: "/etc/hosts/", err: rootfs.ErrMissing},
		{path: "/etc/hosts/..", err: rootfs.ErrMissing},
		{path: "/a/file", err: rootfs.ErrMissing},
		{path: "/empty/x", err: rootfs.ErrMissing},
	}
	for _, tt := range tests {
		found, err := tree.Lookup(tt.path)
		if !errors.Is(err, tt.err) || err == nil && (found.Path != tt.want || len(found.Links) != tt.links) {
			t.Errorf("%q: got %q by %q (%v), want %q by %d links (%v)", tt.path, found.Path, found.Links, err, tt.want,
				tt.links, tt.err)
		}
	}
}

func TestLookupLinksAsInLinux(t *testing.T) {
	t.Parallel()
	entries := lines{"elf l0 arm64"}
	for i := range 41 {
		entries = append(entries, fmt.Sprintf("link l%d l%d", i+1, i))
	}
	tree := merge(t, entries)
	if found, err := tree.Lookup("l40"); err != nil || found.Path != "l0" {
		t.Errorf("40 links: got %q (%v), want l0", found.Path, err)
	}
	if _, err := tree.Lookup("l41"); !errors.Is(err, rootfs.ErrLoop) {
		t.Errorf("41 links: got %v, want %v", err, rootfs.ErrLoop)
	}
}

func TestLookupNamesLayer(t *testing.T) {
	t.Parallel()
	lower, upper := tarOf(t, "elf usr/a amd64", "plain usr/b"), tarOf(t, "elf usr/c arm64")
	tree, err := rootfs.Merge([]rootfs.LayerFacts{scan(t, lower), scan(t, upper)})
	if err != nil {
		t.Fatal(err)
	}
	for path, layer := range map[string]int{"usr/a": 0, "usr/b": 0, "usr/c": 1, "usr": 1} {
		found, err := tree.Lookup(path)
		want := digestOf(t, [][]byte{lower, upper}[layer])
		if err != nil || found.Layer != layer || found.Digest != want {
			t.Errorf("%s: layer %d, %s (%v), want %d, %s", path, found.Layer, found.Digest, err, layer, want)
		}
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	tree := merge(t, lines{"elf b/z arm64", "plain b/a", "link a b", "dir c/", "elf b.x arm64"})
	var paths lines
	for e := range tree.All() {
		paths = append(paths, e.Path)
	}
	if want := strings.Fields("a b b/a b/z b.x c"); !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}
	n := 0
	for range tree.All() {
		if n++; n == 3 { // inside a directory
			break
		}
	}
	if n != 3 {
		t.Errorf("got %d entries before stopping, want 3", n)
	}
}
