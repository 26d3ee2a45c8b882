package rpmdb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/rpmdb"
)

// formats names the file of each format. All have the same packages (testdata/make.sh).
var formats = []string{"rpmdb.sqlite", "Packages.db", "Packages"}

// database returns the database of a format.
func database(t testing.TB, format string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + format)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const most = 32 << 20

// packages returns the packages of a database, as rpm -qa prints them, and all files.
func packages(b []byte) (all, files []string, err error) {
	d, err := rpmdb.Read(bytes.NewReader(b), most)
	if err != nil {
		return nil, nil, err
	}
	err = d.Packages(func(p rpmdb.Package) {
		all = append(all, p.Name+" "+p.Version+" "+p.Arch)
		files = slices.AppendSeq(files, p.Files())
	})
	slices.Sort(all)
	slices.Sort(files)
	return all, files, err
}

// Databases are read as rpm reads them: without erased packages, and with headers of any size.
func TestAgreesWithRPM(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/rpmdb.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, format := range formats {
		b := database(t, format)
		all, files, err := packages(b)
		if err != nil || !slices.Equal(all, want[:len(want)-1]) {
			t.Errorf("%s: %v: %q, want %q", format, err, all, want)
		}
		if got := sum(files); got != want[len(want)-1] {
			t.Errorf("%s: the %d files have the sum %s, want %s: %.500q", format, len(files), got, want[len(want)-1], files)
		}
		d, err := rpmdb.Read(bytes.NewReader(b), most)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Packages(func(p rpmdb.Package) {
			provides, requires := slices.Collect(p.Provides()), slices.Collect(p.Requires())
			if !slices.Contains(provides, "cap-of-"+p.Name) || !slices.Contains(requires, "cap-of-tool") ||
				!slices.Contains(requires, "/bin/sh") {
				t.Errorf("%s: %s provides %q and requires %q", format, p.Name, provides, requires)
			}
		}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func sum(lines []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "\n")+"\n")))
}

// pageOf returns the number of the page that contains a text, and the size of a page.
func pageOf(t *testing.T, b []byte, text string) (page, size int) {
	t.Helper()
	size = int(binary.BigEndian.Uint16(b[16:]))
	at := bytes.Index(b, []byte(text))
	if at < 0 {
		t.Fatalf("no %q", text)
	}
	return at/size + 1, size
}

// A broken database is an error.
func TestBrokenDatabases(t *testing.T) {
	t.Parallel()
	good := database(t, "rpmdb.sqlite")
	changed := func(change func(b []byte)) []byte {
		b := slices.Clone(good)
		change(b)
		return b
	}
	_, size := pageOf(t, good, "SQLite")
	root := good[size:] // of Packages: the second page
	if root[0] != 0x05 {
		t.Fatalf("the root of Packages is a page of kind %d", root[0])
	}
	child := binary.BigEndian.Uint16(root[12:])
	for name, b := range map[string][]byte{
		"empty":                 nil,
		"only the magic":        []byte("SQLite format 3"),
		"zeros":                 append([]byte("SQLite format 3\x00"), make([]byte, 1<<16)...),
		"a page of 3 bytes":     changed(func(b []byte) { b[16], b[17] = 0, 3 }),
		"UTF-16":                changed(func(b []byte) { b[59] = 2 }),
		"truncated":             good[:len(good)/2],
		"a cyclic tree":         changed(func(b []byte) { binary.BigEndian.PutUint32(b[size+int(child):], 2) }),
		"a child out of bounds": changed(func(b []byte) { binary.BigEndian.PutUint32(b[size+int(child):], 1<<30) }),
		"one child twice":       changed(func(b []byte) { copy(b[size+14:], b[size+12:size+14]) }),
		"an index":              changed(func(b []byte) { b[size] = 0x0a }),
		"another table":         bytes.ReplaceAll(good, []byte("tablePackages"), []byte("tablePackagez")),
	} {
		if all, _, err := packages(b); !errors.Is(err, rpmdb.ErrFormat) {
			t.Errorf("%s: %v, %d packages", name, err, len(all))
		}
	}
}

// A database that is larger than the limit is not read.
func TestSize(t *testing.T) {
	t.Parallel()
	for _, format := range formats {
		good := database(t, format)
		if _, err := rpmdb.Read(bytes.NewReader(good), int64(len(good)-1)); !errors.Is(err, rpmdb.ErrSize) {
			t.Errorf("%s, larger than the limit: %v", format, err)
		}
		if _, err := rpmdb.Read(bytes.NewReader(good), int64(len(good))); err != nil {
			t.Errorf("%s, as large as the limit: %v", format, err)
		}
	}
}

// FuzzRead: reading any database returns, with no more packages or files than bytes.
func FuzzRead(f *testing.F) {
	var good [][]byte
	for n, format := range formats {
		good = append(good, database(f, format))
		f.Add(uint8(n), uint32(0), []byte{})
	}
	f.Add(uint8(0), uint32(4096), []byte{0x0d, 0, 0, 0xff, 0xff})
	f.Add(uint8(0), uint32(4096+8), []byte{0, 0, 0, 2})
	f.Add(uint8(0), uint32(4096), []byte("\r0\x00"))
	f.Add(uint8(1), uint32(12), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint8(1), uint32(4096+12), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint8(2), uint32(20), []byte{0, 2, 0, 0})
	f.Add(uint8(2), uint32(4096+16), []byte{1, 0, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, format uint8, at uint32, patch []byte) {
		b := slices.Clone(good[int(format)%len(good)])
		if n := int(at) % len(b); len(patch) <= len(b)-n {
			copy(b[n:], patch)
		}
		all, files, _ := packages(b)
		if len(all) > len(b) || len(files) > len(b) {
			t.Errorf("%d packages, %d files", len(all), len(files))
		}
	})
}

// If cells share bytes, reading must not take quadratic time.
func TestSharedCells(t *testing.T) {
	t.Parallel()
	b := database(t, "rpmdb.sqlite")
	page, size := pageOf(t, b, "cap-of-part1\x00")
	leaf := b[(page-1)*size:][:size]
	if leaf[0] != 0x0d {
		t.Fatalf("page %d is of kind %d", page, leaf[0])
	}
	cells := (int(binary.BigEndian.Uint16(leaf[8:])) - 8) / 2
	binary.BigEndian.PutUint16(leaf[3:], uint16(min(cells, size/4)))
	for n := range min(cells, size/4) {
		copy(leaf[8+2*n:], leaf[8:10])
	}
	if all, _, err := packages(b); err == nil && len(all) > len(b)/1000 {
		t.Errorf("%d packages in %d bytes", len(all), len(b))
	}
}
