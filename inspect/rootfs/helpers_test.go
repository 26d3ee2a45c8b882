package rootfs_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"mtool/inspect/rootfs"
)

// lines describe a layer, one tar entry each, in order:
//
//	elf PATH ARCH [INTERP]   a program; lib instead of elf: without an executable bit
//	script PATH LINE         text that begins with #!LINE
//	text PATH                executable, but not a program
//	plain PATH               neither executable nor a program
//	dir PATH, link PATH TARGET, hard PATH TARGET, device PATH
//	whiteout PATH            overlayfs's own kind, a device
//	xattr PATH KEY VALUE     a directory with an extended attribute
//	global NAME KEY VALUE    a global header
//	gone PATH                a whiteout
//	opaque PATH              the opaque marker of a directory
type lines = []string

// tarOf makes the tar archive of a layer.
func tarOf(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h, body := entryOf(t, e)
		h.Size = int64(len(body))
		if err := w.WriteHeader(h); err != nil {
			t.Fatalf("writing entry %q: %v", e, err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatalf("writing entry %q: %v", e, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func entryOf(t testing.TB, entry string) (*tar.Header, []byte) {
	t.Helper()
	word, rest, _ := strings.Cut(entry, " ")
	name, rest, _ := strings.Cut(rest, " ")
	h := &tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeReg}
	dir, last := "", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		dir, last = name[:i+1], name[i+1:]
	}
	switch word {
	case "elf", "lib":
		if word == "lib" {
			h.Mode = 0o644
		}
		arch, interp, _ := strings.Cut(rest, " ")
		return h, elfOf(t, arch, interp)
	case "script":
		return h, []byte("#!" + rest + "\n")
	case "text":
		return h, []byte("echo hello\n")
	case "plain":
		h.Mode = 0o644
		return h, []byte("some text\n")
	case "dir":
		h.Typeflag = tar.TypeDir
	case "device":
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeChar, 1, 3
	case "whiteout":
		h.Typeflag = tar.TypeChar
	case "xattr":
		key, value, _ := strings.Cut(rest, " ")
		h.Typeflag, h.PAXRecords = tar.TypeDir, map[string]string{"SCHILY.xattr." + key: value}
	case "global":
		key, value, _ := strings.Cut(rest, " ")
		return &tar.Header{Name: name, Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{key: value}}, nil
	case "link":
		h.Typeflag, h.Linkname = tar.TypeSymlink, rest
	case "hard":
		h.Typeflag, h.Linkname = tar.TypeLink, rest
	case "gone":
		h.Name = dir + ".wh." + last
	case "opaque":
		h.Name = name + "/.wh..wh..opq"
	default:
		t.Fatalf("unknown entry %q", entry)
	}
	return h, nil
}

// elfOf returns a small 64-bit ELF program, with a PT_INTERP if interp is not "".
func elfOf(t testing.TB, arch, interp string) []byte {
	t.Helper()
	machine, ok := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "riscv64": elf.EM_RISCV}[arch]
	if !ok {
		t.Fatalf("no ELF of %q", arch)
	}
	const header, program = 64, 56
	h := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: header, Ehsize: header, Phentsize: program, Phnum: 1,
	}
	p := elf.Prog64{Type: uint32(elf.PT_LOAD), Filesz: header + program}
	if interp != "" {
		p = elf.Prog64{Type: uint32(elf.PT_INTERP), Off: header + program, Filesz: uint64(len(interp) + 1)}
	}
	var b bytes.Buffer
	for _, part := range []any{h, p, append([]byte(interp), 0)} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(data, nil)
}

func digestOf(t testing.TB, data []byte) v1.Hash {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// scan reads a layer, which must be valid.
func scan(t testing.TB, data []byte) rootfs.LayerFacts {
	t.Helper()
	facts, err := scanWith(t, data, rootfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func scanWith(t testing.TB, data []byte, o rootfs.Options) (rootfs.LayerFacts, error) {
	t.Helper()
	l := rootfs.Layer{Descriptor: v1.Descriptor{Digest: digestOf(t, data), Size: int64(len(data))}}
	return rootfs.ScanLayer(t.Context(), bytes.NewReader(data), l, o)
}

// merge merges layers, the lowest first; nil is a layer that was not read.
func merge(t testing.TB, layers ...lines) *rootfs.Tree {
	t.Helper()
	var facts []rootfs.LayerFacts
	for _, l := range layers {
		if l == nil {
			facts = append(facts, rootfs.LayerFacts{})
			continue
		}
		facts = append(facts, scan(t, tarOf(t, l...)))
	}
	tree, err := rootfs.Merge(facts)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// show lists the visible entries except directories: "PATH WHAT LAYER".
func show(tree *rootfs.Tree) lines {
	var all lines
	for e := range tree.All() {
		what := string(e.Type)
		switch {
		case e.Type == rootfs.Directory:
			continue
		case e.Type == rootfs.Symlink || e.Type == rootfs.Hardlink:
			what = "-> " + e.File.Target
		case e.File != nil && e.File.Problem != "":
			what = "problem"
		case e.File != nil && e.File.Fact.Arch != "":
			what = e.File.Fact.Arch
		case e.File != nil:
			what = string(e.File.Fact.Kind)
		case e.Runnable:
			what = "text"
		}
		all = append(all, fmt.Sprintf("%s %s %d", e.Path, what, e.Layer))
	}
	return all
}
