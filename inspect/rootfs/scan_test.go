package rootfs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
	"mtool/registry"
)

// one lists the tree of a single layer.
func one(t *testing.T, data []byte) lines {
	t.Helper()
	tree, err := rootfs.Merge([]rootfs.LayerFacts{scan(t, data)})
	if err != nil {
		t.Fatal(err)
	}
	return show(tree)
}

func TestScanInOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		entries lines
		want    lines
	}{
		{
			"kinds",
			lines{"elf a amd64", "lib b.so amd64", "script c /bin/sh", "text d", "plain e", "device f", "link g a"},
			lines{"a amd64 0", "b.so amd64 0", "c script 0", "d text 0", "e plain 0", "f plain 0", "g -> a 0"},
		},
		{"the last of two entries wins", lines{"elf a amd64", "elf a arm64"}, lines{"a arm64 0"}},
		{"a file, then a directory", lines{"elf a amd64", "dir a/", "elf a/b arm64"}, lines{"a/b arm64 0"}},
		{"a directory, then a file", lines{"dir a/", "elf a/b amd64", "elf a arm64"}, lines{"a arm64 0"}},
		{"a directory twice", lines{"dir a/", "elf a/b amd64", "dir a/"}, lines{"a/b amd64 0"}},
		{
			"below a link",
			lines{"dir usr/lib/", "link lib usr/lib", "elf lib/x arm64"},
			lines{"lib -> usr/lib 0", "usr/lib/x arm64 0"},
		},
		{
			"below a link whose target is missing",
			lines{"link lib /usr/lib", "elf lib/x arm64"},
			lines{"lib -> /usr/lib 0", "usr/lib/x arm64 0"},
		},
		{
			"a link in the place of a directory",
			lines{"dir lib/", "elf lib/x amd64", "link lib usr/lib", "elf lib/y arm64"},
			lines{"lib -> usr/lib 0", "usr/lib/y arm64 0"},
		},
		{
			"a directory in the place of a link",
			lines{"link lib usr/lib", "dir lib/", "elf lib/x arm64"},
			lines{"lib/x arm64 0"},
		},
		{
			"a link to outside",
			lines{"link out ../../../etc", "elf out/x arm64"},
			lines{"etc/x arm64 0", "out -> ../../../etc 0"},
		},
		{
			"names that are not clean",
			lines{
				"elf ./a arm64", "elf /b arm64", "elf ../../c arm64", "elf x/../d arm64", "elf y//./e arm64",
				"elf ./../f arm64",
			},
			lines{"a arm64 0", "b arm64 0", "c arm64 0", "d arm64 0", "f arm64 0", "y/e arm64 0"},
		},
		{
			"names with dots",
			lines{"elf .a arm64", "elf b/..c arm64", "elf ./.d arm64"},
			lines{".a arm64 0", ".d arm64 0", "b/..c arm64 0"},
		},
		{"the root", lines{"dir ./", "dir /", "elf a arm64"}, lines{"a arm64 0"}},
		{"case", lines{"elf a arm64", "elf A amd64"}, lines{"A amd64 0", "a arm64 0"}},
		{
			"a hard link keeps its target's content",
			lines{"elf a amd64", "hard b a", "elf a arm64", "hard c ./a"},
			lines{"a arm64 0", "b amd64 0", "c arm64 0"},
		},
		{
			"a file in a directory that was replaced and created again",
			lines{"dir a/b/", "elf a/b/x amd64", "plain a/b", "dir a/b/", "elf a/b/y arm64"},
			lines{"a/b/y arm64 0"},
		},
		{
			"long names",
			lines{
				"elf " + strings.Repeat("d/", 100) + strings.Repeat("n", 250) + " arm64",
				"link l " + strings.Repeat("t", 1000),
			},
			lines{strings.Repeat("d/", 100) + strings.Repeat("n", 250) + " arm64 0", "l -> " + strings.Repeat("t", 1000) + " 0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := one(t, tarOf(t, tt.entries...)); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestScanFacts(t *testing.T) {
	t.Parallel()
	data := gzipped(t,
		tarOf(t, "dir e/", "elf usr/a amd64 /lib/ld.so", "plain usr/z", "text usr/run", "plain usr/b", "gone etc/x",
			"opaque o"))
	f := scan(t, data)
	if f.Schema != rootfs.Schema || f.Digest != digestOf(t, data) || f.Size != int64(len(data)) || f.Headers != 7 {
		t.Errorf("got %s %s %d bytes %d headers", f.Schema, f.Digest, f.Size, f.Headers)
	}
	if len(f.Files) != 1 {
		t.Fatalf("got %d files, want the program alone: %v", len(f.Files), f.Files)
	}
	a := f.Files[0]
	if a.Path != "usr/a" || a.Type != rootfs.Program || a.Mode != 0o755 || a.Size != 64+56+11 ||
		a.Fact.Interp != "/lib/ld.so" ||
		a.Fact.Kind != binary.ELFExecutable || a.Fact.Machine != 62 {
		t.Errorf("got %+v %+v", a, a.Fact)
	}
	folders := []rootfs.Folder{
		{},
		{Path: "e"},
		{Path: "etc", Implied: true},
		{Path: "o", Opaque: true, Implied: true},
		{Path: "usr", Names: "b/z", Runnable: "run", Implied: true},
	}
	if !slices.Equal(f.Folders, folders) {
		t.Errorf("folders %+v, want %+v", f.Folders, folders)
	}
	if !slices.Equal(f.Whiteouts, lines{"etc/x"}) {
		t.Errorf("whiteouts %q, want etc/x", f.Whiteouts)
	}
}

func TestScanCompression(t *testing.T) {
	t.Parallel()
	plain := tarOf(t, "elf app arm64", "plain "+strings.Repeat("long", 20))
	half := len(plain) / 2
	skippable := []byte("\x50\x2a\x4d\x18\x04\x00\x00\x00abcd")
	tests := map[string][]byte{
		"tar":                   plain,
		"gzip":                  gzipped(t, plain),
		"gzip, several members": slices.Concat(gzipped(t, plain[:half]), gzipped(t, nil), gzipped(t, plain[half:])),
		"zstd":                  zstded(t, plain),
		"zstd, several frames":  slices.Concat(zstded(t, plain[:half]), zstded(t, plain[half:])),
		"zstd, skippable frames": slices.Concat(skippable, zstded(t, plain[:half]), skippable, zstded(t, plain[half:]),
			skippable),
		"zstd, window of 32 MiB": windowed(plain, 0x78),
		"data after the end":     gzipped(t, append(slices.Clone(plain), tarOf(t, "elf app amd64")...)),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := scan(t, data)
			if len(facts.Files) != 1 || facts.Files[0].Fact.Arch != "arm64" || facts.Size != int64(len(data)) {
				t.Errorf("got %d files of %d bytes: %+v", len(facts.Files), facts.Size, facts.Files)
			}
			if name != "data after the end" && facts.DiffID != digestOf(t, plain) {
				t.Errorf("diffID %s, want that of the tar, %s", facts.DiffID, digestOf(t, plain))
			}
		})
	}
}

func TestScanRefuses(t *testing.T) {
	t.Parallel()
	plain := tarOf(t, "elf app arm64", "plain x")
	broken := gzipped(t, plain)
	broken[len(broken)-5] ^= 1 // of the checksum
	odd := tarOf(t, "plain x")
	odd[156] = 'Z' // the type
	sum(odd)
	tests := map[string]struct {
		data []byte
		want error
	}{
		"empty":                       {nil, nil},
		"not a tar":                   {bytes.Repeat([]byte("no tar "), 200), registry.ErrContent},
		"truncated tar":               {plain[:600], registry.ErrContent},
		"truncated header":            {plain[:100], registry.ErrContent},
		"truncated gzip":              {gzipped(t, plain)[:60], registry.ErrContent},
		"truncated gzip header":       {gzipped(t, plain)[:5], registry.ErrContent},
		"truncated zstd":              {zstded(t, plain)[:60], registry.ErrContent},
		"wrong checksum":              {broken, registry.ErrContent},
		"garbage after gzip":          {append(gzipped(t, plain), "rubbish"...), registry.ErrContent},
		"garbage after zstd":          {append(zstded(t, plain), "rubbish!"...), registry.ErrContent},
		"bzip2":                       {[]byte("BZh91AY&SY"), rootfs.ErrUnchecked},
		"xz":                          {[]byte("\xfd7zXZ\x00\x00\x04"), rootfs.ErrUnchecked},
		"zstd, window of 36 MiB":      {windowed(plain, 0x79), rootfs.ErrUnchecked},
		"unknown type":                {odd, registry.ErrContent},
		"whiteout of nothing":         {tarOf(t, "plain a/.wh."), registry.ErrContent},
		"whiteout of the directory":   {tarOf(t, "plain a/.wh.."), registry.ErrContent},
		"whiteout of its parent":      {tarOf(t, "plain a/.wh..."), registry.ErrContent},
		"a file below a file":         {tarOf(t, "plain a", "plain a/b"), registry.ErrContent},
		"a file as the root":          {tarOf(t, "plain ."), registry.ErrContent},
		"a link as the root":          {tarOf(t, "link a/.. b"), registry.ErrContent},
		"hard link to a directory":    {tarOf(t, "dir a/", "hard b a"), registry.ErrContent},
		"a file below a loop":         {tarOf(t, "link a b", "link b a", "plain a/x"), registry.ErrContent},
		"a file below a link to file": {tarOf(t, "plain f", "link a f", "plain a/x"), registry.ErrContent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts, err := scanWith(t, tt.data, rootfs.Options{})
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil && (facts.Schema != "" || !strings.Contains(err.Error(), digestOf(t, tt.data).String())) {
				t.Errorf("facts %+v of a layer that failed, or an error without its digest: %v", facts, err)
			}
		})
	}
}

// windowed returns a zstd frame that stores data uncompressed and declares a window of 1<<(10+window>>3) bytes and
// window&7 eighths more.
func windowed(data []byte, window byte) []byte {
	n := len(data)<<3 | 1 // the last block, raw
	return slices.Concat([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, window, byte(n), byte(n >> 8), byte(n >> 16)}, data)
}

// sum corrects the checksum of a tar header.
func sum(header []byte) {
	copy(header[148:156], "        ")
	n := 0
	for _, b := range header[:512] {
		n += int(b)
	}
	copy(header[148:156],
		[]byte{
			byte('0' + n>>15&7), byte('0' + n>>12&7), byte('0' + n>>9&7), byte('0' + n>>6&7), byte('0' + n>>3&7),
			byte('0' + n&7), 0, ' ',
		})
}

func TestScanDiffID(t *testing.T) {
	t.Parallel()
	plain := tarOf(t, "elf app arm64")
	data := gzipped(t, plain)
	l := rootfs.Layer{
		Descriptor: v1.Descriptor{Digest: digestOf(t, data), Size: int64(len(data))},
		DiffID:     digestOf(t, plain),
	}
	if _, err := rootfs.ScanLayer(t.Context(), bytes.NewReader(data), l, rootfs.Options{}); err != nil {
		t.Errorf("the right diffID: %v", err)
	}
	l.DiffID = l.Descriptor.Digest
	if _, err := rootfs.ScanLayer(t.Context(), bytes.NewReader(data), l, rootfs.Options{}); !errors.Is(err,
		registry.ErrContent) {
		t.Errorf("a wrong diffID: got %v, want %v", err, registry.ErrContent)
	}
	l.DiffID = digestOf(t, plain)
	longer := gzipped(t, append(slices.Clone(plain), "x"...)) // a tar reader does not see the "x"
	if _, err := rootfs.ScanLayer(t.Context(), bytes.NewReader(longer), l, rootfs.Options{}); !errors.Is(err,
		registry.ErrContent) {
		t.Errorf("a byte after the tar's end: got %v, want %v", err, registry.ErrContent)
	}
}

func TestScanMediaTypes(t *testing.T) {
	t.Parallel()
	tests := map[types.MediaType]rootfs.Reason{
		"":                            "",
		types.OCILayer:                "",
		types.OCILayerZStd:            "",
		types.DockerLayer:             "",
		types.DockerForeignLayer:      rootfs.Foreign,
		types.OCIRestrictedLayer:      rootfs.Foreign,
		types.OCILayer + "+encrypted": rootfs.Encrypted,
		"application/vnd.oci.image.layer.v1.tar+encrypted":                       rootfs.Encrypted,
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip+encrypted": rootfs.Encrypted,
		"application/vnd.in-toto+json":                                           rootfs.NotALayer,
	}
	for mediaType, want := range tests {
		l := rootfs.Layer{Descriptor: v1.Descriptor{MediaType: mediaType, URLs: []string{"https://127.0.0.1:1/never"}}}
		in := &countReader{r: bytes.NewReader(tarOf(t, "elf app arm64"))}
		_, err := rootfs.ScanLayer(t.Context(), in, l, rootfs.Options{})
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", mediaType, err)
			}
			continue
		}
		if unchecked, ok := errors.AsType[*rootfs.UncheckedError](err); !ok || unchecked.Reason != want {
			t.Errorf("%q: got %v, want %q", mediaType, err, want)
		}
		if in.n != 0 {
			t.Errorf("%q: %d bytes read of a layer that must not be read", mediaType, in.n)
		}
	}
}

type countReader struct {
	r io.Reader
	n int64
}

func (c *countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestScanReadError(t *testing.T) {
	t.Parallel()
	plain := tarOf(t, "elf app arm64", "plain x")
	for name, data := range map[string][]byte{"tar": plain, "gzip": gzipped(t, plain), "zstd": zstded(t, plain)} {
		for _, n := range []int{0, 3, 40, len(data)} {
			in := io.MultiReader(bytes.NewReader(data[:n]), &failing{})
			_, err := rootfs.ScanLayer(t.Context(), in, rootfs.Layer{}, rootfs.Options{})
			if !errors.Is(err, registry.ErrUnavailable) || errors.Is(err, registry.ErrContent) {
				t.Errorf("%s, failing after %d bytes: got %v, want %v", name, n, err, registry.ErrUnavailable)
			}
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, registry.ErrUnavailable }

func TestScanExaminer(t *testing.T) {
	t.Parallel()
	malformed := errors.New("malformed")
	o := rootfs.Options{Examine: func(path string, mode fs.FileMode, size int64, r io.Reader) (binary.Fact, error) {
		data, err := io.ReadAll(r)
		switch {
		case err != nil:
			return binary.Fact{}, err
		case int64(len(data)) != size || mode != 0o755:
			return binary.Fact{}, errors.New("wrong file")
		case path == "odd":
			return binary.Fact{Kind: binary.ELFOther}, malformed
		}
		return binary.Fact{Kind: binary.Other}, nil
	}}
	f, err := scanWith(t, tarOf(t, "elf app amd64", "elf odd amd64"), o)
	if err != nil || len(f.Files) != 1 || f.Files[0].Problem != "malformed" || f.Files[0].Fact.Kind != binary.ELFOther {
		t.Errorf("got %+v (%v), want the odd file alone", f.Files, err)
	}
	truncated := tarOf(t, "elf app amd64")[:600]
	if _, err := scanWith(t, truncated, o); !errors.Is(err, registry.ErrContent) {
		t.Errorf("a file that ends early: got %v, want %v", err, registry.ErrContent)
	}
}

func TestScanSparse(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"gnu", "pax"} {
		program := elfOf(t, "arm64", "/lib/ld.so")
		f := scan(t, sparse(t, format, program, 1<<40))
		if len(f.Files) != 2 || f.Files[0].Path != "big" || f.Files[0].Fact.Arch != "arm64" || f.Files[1].Path != "next" {
			t.Fatalf("%s: got %+v, want the sparse program and the one after it", format, f.Files)
		}
		if f.Files[0].Size != 1<<40 || f.Unpacked > 1<<20 {
			t.Errorf("%s: size %d of %d unpacked bytes, want a hole of a terabyte that is not counted", format, f.Files[0].Size,
				f.Unpacked)
		}
	}
}

// sparse returns an archive with a sparse file of size bytes, which is head and then a hole, and after it a program.
func sparse(t *testing.T, format string, head []byte, size int64) []byte {
	t.Helper()
	if len(head) > 512 {
		t.Fatal("the head of a sparse file must fit in one block")
	}
	block := append(slices.Clone(head), make([]byte, 512-len(head))...)
	var b bytes.Buffer
	switch format {
	case "gnu":
		h := make([]byte, 512)
		copy(h, "big")
		copy(h[100:], "0000755\x00")
		copy(h[124:], octal(512))
		h[156] = tar.TypeGNUSparse
		copy(h[257:], "ustar  \x00")
		copy(h[386:], octal(0))
		copy(h[398:], octal(512))
		big := []byte{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		for i, n := 11, size; n > 0; i, n = i-1, n>>8 {
			big[i] = byte(n)
		}
		copy(h[483:], big)
		sum(h)
		b.Write(h)
		b.Write(block)
	case "pax":
		w := tar.NewWriter(&b)
		mapping := make([]byte, 512)
		copy(mapping, "1\n0\n512\n")
		h := &tar.Header{Name: "GNUSparseFile.0/big", Mode: 0o755, Typeflag: tar.TypeReg, Size: 1024, Format: tar.FormatPAX}
		// The writer refuses GNU.sparse records, so names of the same length replace them.
		h.PAXRecords = map[string]string{
			"gnu.sparse.major": "1", "gnu.sparse.minor": "0", "gnu.sparse.name": "big",
			"gnu.sparse.realsize": "1099511627776",
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(slices.Concat(mapping, block)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		data := bytes.ReplaceAll(b.Bytes(), []byte("gnu.sparse"), []byte("GNU.sparse"))
		b = *bytes.NewBuffer(data)
	}
	b.Write(tarOf(t, "elf next amd64"))
	return b.Bytes()
}

func octal(n int) string {
	const digits = 11
	s := make([]byte, digits)
	for i := digits - 1; i >= 0; i, n = i-1, n>>3 {
		s[i] = byte('0' + n&7)
	}
	return string(s)
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("length mismatch") }

// TestScanPanic: the panic of a decoder in a goroutine of this package is recovered; main could not recover it.
func TestScanPanic(t *testing.T) {
	t.Parallel()
	in := io.MultiReader(bytes.NewReader(tarOf(t, "elf app arm64")[:600]), panicking{})
	if _, err := rootfs.ScanLayer(t.Context(), in, rootfs.Layer{}, rootfs.Options{}); !errors.Is(err,
		registry.ErrContent) {
		t.Errorf("got %v, want %v", err, registry.ErrContent)
	}
}
