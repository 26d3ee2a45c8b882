package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// Files in another order and a time in another zone give the same archive. Another mode, time or name gives other
// bytes.
func TestArchives(t *testing.T) {
	t.Parallel()
	files := []file{
		{"a/mtool", 0o755, []byte("program")},
		{"a/LICENSE", 0o644, []byte("text")},
		{"a/man/man1/mtool.1", 0o644, nil},
	}
	for name, write := range map[string]func(io.Writer, []file, time.Time) error{"tar.gz": writeTarGz, "zip": writeZip} {
		sum := func(files []file, at time.Time) [32]byte {
			var b bytes.Buffer
			if err := write(&b, files, at); err != nil {
				t.Fatal(err)
			}
			return sha256.Sum256(b.Bytes())
		}
		first := sum(files, noon)
		if again := sum([]file{files[2], files[0], files[1]}, noon.In(time.FixedZone("CET", 3600))); again != first {
			t.Errorf("%s: another order and time zone give other bytes", name)
		}
		for change, other := range map[string][32]byte{
			"mode": sum([]file{{"a/mtool", 0o644, files[0].body}, files[1], files[2]}, noon),
			"time": sum(files, noon.Add(time.Hour)),
			"name": sum([]file{{"b/mtool", 0o755, files[0].body}, files[1], files[2]}, noon),
		} {
			if other == first {
				t.Errorf("%s: another %s gives the same bytes", name, change)
			}
		}
	}
}

func TestZipKeepsModes(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := writeZip(&b, []file{{"mtool", 0o755, []byte("x")}}, noon); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || z.File[0].Mode() != 0o755 {
		t.Errorf("%v, %v", z.File[0].Mode(), err)
	}
}

func TestParseTargets(t *testing.T) {
	t.Parallel()
	got, err := parseTargets("linux/arm/v7 windows/amd64 linux/arm/v7")
	if err != nil || !slices.Equal(got, []target{{"linux", "arm", "v7"}, {"windows", "amd64", ""}}) {
		t.Errorf("%v, %v", got, err)
	}
	if got[0].file() != "linux-armv7" || got[0].String() != "linux/arm/v7" || got[1].String() != "windows/amd64" {
		t.Errorf("%s, %s, %s", got[0].file(), got[0], got[1])
	}
	if all, err := parseTargets(""); err != nil || len(all) != 14 {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := parseTargets("linux/amd64 plan9/arm"); err == nil || !strings.Contains(err.Error(), `"plan9/arm"`) {
		t.Errorf("an unknown target: %v", err)
	}
}

// Every module must have a licence. Licences in package directories count too, and each file is printed once.
func TestNotices(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE.md": "ours", "NOTICE": "thanks", "license.go": "package x",
		"README": "no",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := licencesIn(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	body, err := printNotices(map[string][]string{"x/y v1": append(files, files...)})
	if err != nil || strings.Count(string(body), "thanks") != 1 ||
		!strings.Contains(string(body), "x/y v1\n\n--- LICENSE.md\n\nours\n") {
		t.Errorf("%v\n%s", err, body)
	}
	if _, err := printNotices(map[string][]string{"x/y v1": nil}); err == nil {
		t.Error("a module without a licence is accepted")
	}
}

// The SBOM of this test binary lists its modules.
func TestSBOM(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := programSBOM(self, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Packages) != len(info.Deps)+2 || len(doc.Relationships) != len(doc.Packages) ||
		doc.CreationInfo.Created != "2026-11-30T12:00:00Z" {
		t.Errorf("%d dependencies, but\n%+v", len(info.Deps), doc)
	}
	if len(doc.Packages[0].Checksums) != 1 || doc.Relationships[0].Type != "DESCRIBES" {
		t.Errorf("the program has no sum or is not described: %+v", doc.Packages[0])
	}
}

// The packages of an image are listed by their control files. A file without package and version is an error.
func TestDebianPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const control = "Package: runc\nVersion: 1.1.5+ds1-1\nArchitecture: arm64\nDescription: runs\n Version: none\n"
	if err := os.WriteFile(filepath.Join(dir, "runc"), []byte(control), 0o600); err != nil {
		t.Fatal(err)
	}
	var doc spdx
	if err := doc.addDebian(dir); err != nil || len(doc.Packages) != 1 {
		t.Fatalf("%v, %+v", err, doc)
	}
	if p := doc.Packages[0]; p.Name != "runc" || p.Version != "1.1.5+ds1-1" ||
		p.ExternalRefs[0].Locator != "pkg:deb/debian/runc@1.1.5%2Bds1-1?arch=arm64" {
		t.Errorf("%+v", p)
	}
	if err := doc.addDebian(filepath.Join(dir, "none")); err != nil {
		t.Errorf("an image without Debian packages: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), []byte("Package: other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := doc.addDebian(dir); err == nil || !strings.Contains(err.Error(), "no package and version") {
		t.Errorf("a package without a version: %v", err)
	}
}

// The formula and the Nix expression have the targets that they support and no others.
func TestRecipes(t *testing.T) {
	t.Parallel()
	r := &release{
		options: options{version: "v1.0.0", url: "https://example.com/v1.0.0", dist: t.TempDir()},
		number:  "1.0.0", home: "https://example.com",
	}
	for _, m := range []target{{"darwin", "arm64", ""}, {"linux", "arm", "v7"}, {"windows", "amd64", ""}} {
		r.made = append(r.made,
			made{target: m, Archive: "mtool-1.0.0-" + m.file() + ".tar.gz", Sum: sha256.Sum256([]byte(m.os))})
	}
	r.source = filepath.Join("..", "..", "..")
	if err := r.writeRecipes(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"install.sh": {"\nreleased=https://example.com/v1.0.0\n", "Darwin"},
		"mtool.rb": {
			`version "1.0.0"`, "OS.mac? && Hardware::CPU.arm?",
			`url "https://example.com/v1.0.0/mtool-1.0.0-darwin-arm64.tar.gz"`, `sha256 "`,
		},
		"mtool.nix": {
			"aarch64-darwin = {", "armv7l-linux = {", `hash = "sha256-`, "mtool-1.0.0-linux-armv7.tar.gz",
			"archives.${system}",
		},
	} {
		body, err := os.ReadFile(filepath.Join(r.dist, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(string(body), text) {
				t.Errorf("%s lacks %s:\n%s", name, text, body)
			}
		}
		if name != "install.sh" && strings.Contains(string(body), "windows") || strings.Contains(string(body), "<no value>") {
			t.Errorf("%s:\n%s", name, body)
		}
	}
}

// lay sets the time of directories too, since packages contain them.
func TestLay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := lay(dir, []file{{"man/man1/mtool.1", 0o644, nil}, {"man/man7/mtool.7", 0o644, nil}}, noon); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"man", "man/man1", "man/man1/mtool.1"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(noon) {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestCheckMajor(t *testing.T) {
	t.Parallel()
	for version, of := range map[string]map[string]bool{
		"v1.2.3": {"mtool": true, "github.com/you/mtool": true, "github.com/you/mtool/v2": false},
		"v0.1.0": {"mtool": true},
		"v2.0.0": {"mtool": false, "github.com/you/mtool": false, "github.com/you/mtool/v2": true},
	} {
		for path, want := range of {
			if err := checkMajor(path, version); (err == nil) != want {
				t.Errorf("%s of %s: %v", version, path, err)
			}
		}
	}
}
