package deep_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	mbinary "mtool/inspect/binary"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
)

// zooDir is where testdata/zoo.sh puts its packages.
func zooDir() string {
	if dir := os.Getenv("MTOOL_ZOO"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", ".deps", "zoo")
}

// zoo are the names of the packages to be tried: the short list, or with MTOOL_TEST_FULL=1 all.
func zoo(t *testing.T) (names []string) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "zoo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) > 3 && words[0] != "#" && (words[0] == "short" || os.Getenv("MTOOL_TEST_FULL") != "") {
			names = append(names, strings.NewReplacer("/", "_", "@", "_").Replace(words[2]))
		}
	}
	return names
}

// TestZoo tries real packages over a real file system: none of them is wrong where it was installed. With their own part for
// another machine, all of them are found that have one.
func TestZoo(t *testing.T) {
	t.Parallel()
	required := slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "zoo")
	for _, name := range zoo(t) {
		for _, arch := range []string{"amd64", "arm64"} {
			t.Run(name+"/"+arch, func(t *testing.T) {
				layer := filepath.Join(zooDir(), name+"-"+arch+".tar")
				if _, err := os.Stat(layer); err != nil {
					if required {
						t.Fatalf("%v: testdata/zoo.sh makes it", err)
					}
					t.Skip(err)
				}
				look := func(layer string) (string, []inspect.Finding) {
					s := debian(t, arch)
					s.file(t, layer)
					r := inspected(t, inspect.Report{Images: []inspect.Image{s.image(t, "linux/"+arch, "bash")}}, deep.Options{})
					return show(r), slices.DeleteFunc(r.Findings, func(f inspect.Finding) bool {
						return f.State == inspect.Note || f.State == inspect.Mismatch && f.Path == ""
					})
				}
				if text, found := look(layer); slices.ContainsFunc(found, inspect.Finding.Fails) {
					t.Errorf("as it is installed:\n%.3000s", text)
				}
				swapped, parts := swap(t, layer, arch)
				if text, found := look(swapped); parts > 0 && len(found) == 0 {
					t.Errorf("with %d programs for another machine:\n%.3000s", parts, text)
				}
			})
		}
	}
}

// swap makes of the programs for one machine, in a copy of a layer, programs for another one. What is no program is empty there.
func swap(t *testing.T, layer, arch string) (path string, programs int) {
	t.Helper()
	p, err := platform.Parse("linux/" + arch)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path = filepath.Join(t.TempDir(), "swapped.tar")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := tar.NewWriter(out)
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, swapped := swapOne(t, r, p, h.Name)
		programs += swapped
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(body))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path, programs
}

// swapOne is a file with another machine in its header, where it is a program for p, and how many that are.
func swapOne(t *testing.T, r io.Reader, p v1.Platform, name string) (body []byte, programs int) {
	t.Helper()
	head := make([]byte, 4)
	if n, _ := io.ReadFull(r, head); string(head[:n]) != "\x7fELF" {
		return nil, 0
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	body = append(head, rest...)
	fact, problem := mbinary.Read(bytes.NewReader(body), mbinary.Options{})
	starts := fact.Kind == mbinary.ELFExecutable || fact.Kind == mbinary.ELFShared
	if problem == nil && starts && fact.Arch == p.Architecture && !boots(name) {
		other := map[string]uint16{"amd64": 183, "arm64": 62}[p.Architecture]
		binary.LittleEndian.PutUint16(body[18:], other)
		return body, 1
	}
	return body, 0
}

// boots reports whether a program is one that a machine boots or a compiler links with, whose machine nobody compares with the image's.
func boots(name string) bool {
	for _, word := range []string{"syslinux", "qemu/", "firmware", "opensbi", "u-boot", "grub", "cross", "-linux-gnu/", "systemd/boot", "testdata/"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
