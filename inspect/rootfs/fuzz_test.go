package rootfs_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"reflect"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
	"mtool/registry"
)

// FuzzScanLayer: a layer with any bytes is read or refused within its limits, and its facts can be written, read back
// and merged over themselves.
func FuzzScanLayer(f *testing.F) {
	entries := tarOf(f, "dir usr/", "elf usr/app arm64 /lib/ld.so", "link lib usr/lib", "plain lib/x", "hard b usr/app",
		"hard c below",
		"script run /usr/bin/env python3", "gone etc/x", "opaque o", "device dev", "link up ../../..", "plain up/y")
	f.Add(entries)
	f.Add(gzipped(f, entries))
	f.Add(zstded(f, entries))
	f.Add(append(gzipped(f, entries[:700]), gzipped(f, entries[700:])...))
	f.Add(windowed(entries, 0x79))
	f.Add(entries[:1000])
	f.Add(tarOf(f, "link a b", "link b a", "plain a/x"))
	f.Add(tarOf(f, "plain a/.wh.", "plain a/.wh..wh..opq/x", "plain .wh..wh..opq"))
	o := rootfs.Options{Limits: rootfs.Limits{Headers: 1000, Unpacked: 8 << 20, Memory: 1 << 20}}
	f.Fuzz(func(t *testing.T, data []byte) {
		layer := rootfs.Layer{Descriptor: v1.Descriptor{Digest: digestOf(t, data), Size: int64(len(data))}}
		facts, err := rootfs.ScanLayer(t.Context(), bytes.NewReader(data), layer, o)
		if err != nil {
			if !errors.Is(err, registry.ErrContent) && !errors.Is(err, rootfs.ErrLimit) && !errors.Is(err, rootfs.ErrUnchecked) {
				t.Fatalf("unexpected error: %v", err)
			}
			if facts.Schema != "" {
				t.Fatalf("facts of a layer that failed with %v", err)
			}
			return
		}
		mergeBack(t, facts)
	})
}

// FuzzEntries is FuzzScanLayer with valid tar checksums. Each line is an entry: its type, its name, and after a blank
// its target. A regular file whose name ends in x is a program.
func FuzzEntries(f *testing.F) {
	f.Add("5usr/\n2lib usr/lib\n0lib/x\n1b lib/x\n0a/.wh.b\n0a/.wh..wh..opq\n3dev\n0../../c\n2up ../../..\n0up/y")
	f.Add("2a b\n2b a\n0a/x\n1c a\n5a/\n0a\n5a/a\n0a/a/a")
	f.Add("0d/.wh.\n0d/.wh...\n0.wh..wh.plnk\n0.wh..wh..opq/x\n1d/.wh.x d")
	program := elfOf(f, "arm64", "/lib/ld.so")
	o := rootfs.Options{Limits: rootfs.Limits{Headers: 1000, Memory: 1 << 20}}
	f.Fuzz(func(t *testing.T, text string) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" {
				continue
			}
			h := &tar.Header{Typeflag: line[0], Mode: 0o755}
			h.Name, h.Linkname, _ = strings.Cut(line[1:], " ")
			if line[0] == tar.TypeReg && strings.HasSuffix(h.Name, "x") {
				h.Size = int64(len(program))
			}
			if w.WriteHeader(h) == nil && h.Size > 0 {
				_, _ = w.Write(program)
			}
		}
		if w.Close() != nil {
			return
		}
		layer := rootfs.Layer{Descriptor: v1.Descriptor{Digest: digestOf(t, b.Bytes()), Size: int64(b.Len())}}
		facts, err := rootfs.ScanLayer(t.Context(), &b, layer, o)
		if err == nil {
			mergeBack(t, facts)
		} else if !errors.Is(err, registry.ErrContent) && !errors.Is(err, rootfs.ErrLimit) &&
			!errors.Is(err, rootfs.ErrUnchecked) {
			t.Fatalf("unexpected error: %v", err)
		}
	})
}

func mergeBack(t *testing.T, facts rootfs.LayerFacts) {
	t.Helper()
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	var again rootfs.LayerFacts
	if err := json.Unmarshal(text, &again); err != nil || len(again.Files) != len(facts.Files) ||
		!reflect.DeepEqual(again.Folders, facts.Folders) {
		t.Fatalf("read back: %+v (%v)\nwritten: %+v", again, err, facts)
	}
	trees, err := rootfs.Readings([]rootfs.LayerFacts{{}, again, facts})
	// a hard link to a directory of a lower layer
	if errors.Is(err, registry.ErrContent) || errors.Is(err, rootfs.ErrUnchecked) {
		return
	}
	if err != nil {
		t.Fatalf("merging: %v", err)
	}
	for _, tree := range trees {
		walkBack(t, tree)
	}
}

func walkBack(t *testing.T, tree *rootfs.Tree) {
	t.Helper()
	n := 0
	for e := range tree.All() {
		n++
		if e.Path != path.Clean(e.Path) || strings.HasPrefix(e.Path, "../") || strings.HasPrefix(e.Path, "/") ||
			e.Path == ".." {
			t.Fatalf("the path %q is not clean", e.Path)
		}
		if found, err := tree.Lookup(e.Path); err == nil && e.Type != rootfs.Symlink && found.Path != e.Path {
			t.Fatalf("%q is at %q", e.Path, found.Path)
		}
		if n < 20 { // the others would only take time
			if _, err := tree.Command(rootfs.ImageConfig{Cmd: []string{"/" + e.Path}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// FuzzCommandLine: Command returns a limited number of steps for every command line.
func FuzzCommandLine(f *testing.F) {
	for _, line := range []string{
		"exec /app/server", "A=b tini -- sh -c 'x y' && z", `"a\"b" $c`, "env -S 'x y'",
		"busybox sh -c env", "#", "exec", "=", "''", "-",
	} {
		f.Add(line)
	}
	tree := merge(f, userland())
	f.Fuzz(func(t *testing.T, line string) {
		for _, c := range []rootfs.ImageConfig{
			{Cmd: []string{"/bin/sh", "-c", line}},
			{Cmd: strings.Fields("env " + line)},
			{Cmd: strings.Fields("tini " + line)},
		} {
			steps, err := tree.Command(c)
			if err != nil || len(steps) == 0 || len(steps) > 200 {
				t.Fatalf("%q: %d steps (%v)", c.Cmd, len(steps), err)
			}
		}
	})
}
