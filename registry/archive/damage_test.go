package archive_test

import (
	"archive/tar"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, "oci-archive:"+dir+"/good.tar", map[string]registrytest.Built{"v1": image(amd64, "1")})
	good := load(t, dir+"/good.tar")
	save(t, dir+"/empty", nil)
	save(t, dir+"/text", []byte(strings.Repeat("this is not a tar\n", 100)))
	save(t, dir+"/zero", make([]byte, 10240))
	gz := registrytest.Gzip(good)
	save(t, dir+"/cut.tar.gz", gz[:len(gz)-20])
	save(t, dir+"/text.tar.zst", append([]byte("\x28\xb5\x2f\xfd"), "this is not a frame"...))
	save(t, dir+"/other.tar", registrytest.Tar([]string{"a"}, map[string][]byte{"a": nil}))
	names, files := untar(t, good)
	files["oci-layout"] = []byte(`{"imageLayoutVersion":"9.0.0"}`)
	save(t, dir+"/version.tar", registrytest.Tar(names, files))
	files["oci-layout"] = []byte(`{"imageLayoutVersion":"1.0.0"}`)
	files["index.json"] = []byte(`{"manifests":[]}`)
	save(t, dir+"/none.tar", registrytest.Tar(names, files))
	if err := os.Mkdir(dir+"/dir", 0o750); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		ref, words string
		kind       error
	}{
		{"oci-archive:missing.tar", "no such file", registry.ErrNotFound},
		{"oci:missing", "no such file", registry.ErrNotFound},
		{"oci-archive:empty", "empty", registry.ErrContent},
		{"oci-archive:text", "not a tar", registry.ErrContent},
		{"docker-archive:zero", "neither", registry.ErrContent},
		{"oci-archive:cut.tar.gz", "compressed (gzip)", registry.ErrContent},
		{"oci-archive:text.tar.zst", "compressed (zstd)", registry.ErrContent},
		{"docker-archive:good.tar", "it is an OCI archive, not a Docker archive", registry.ErrContent},
		{"oci-archive:other.tar", "neither", registry.ErrContent},
		{"oci-archive:version.tar", "9.0.0", registry.ErrContent},
		{"oci-archive:none.tar", "no image", registry.ErrNotFound},
		{"oci-archive:dir", "directory", registry.ErrContent},
		{"oci:dir", "not an OCI layout", registry.ErrContent},
		{"oci:good.tar", "a file", registry.ErrContent},
	} {
		transport, path, _ := strings.Cut(tt.ref, ":")
		_, err := archive.Open(t.Context(), parse(t, transport+":"+dir+"/"+path))
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.words) ||
			!strings.Contains(err.Error(), filepath.Join(dir, path)) {
			t.Errorf("%q: %v\nwant %v, %q and the path", tt.ref, err, tt.kind, tt.words)
		}
	}
}

// An archive that is cut off at any byte is refused.
func TestTruncatedArchives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, "oci-archive:"+dir+"/a.tar", map[string]registrytest.Built{"v1": image(amd64, "1")})
	save(t, dir+"/d.tar", registrytest.DockerArchive(registrytest.Tagged{Built: image(amd64, "1")}))
	for _, file := range []string{"a.tar", "d.tar"} {
		data := load(t, dir+"/"+file)
		for cut := 1; cut < len(data)-512; cut += 97 {
			save(t, dir+"/cut.tar", data[:cut])
			if _, err := archive.Open(t.Context(), parse(t, "oci-archive:"+dir+"/cut.tar")); !errors.Is(err,
				registry.ErrContent) {
				t.Errorf("%s cut after %d of %d bytes: %v", file, cut, len(data), err)
			}
		}
	}
}

func TestWrongDigestInArchive(t *testing.T) {
	t.Parallel()
	dir, b := t.TempDir(), image(amd64, "1")
	write(t, "oci-archive:"+dir+"/a.tar", map[string]registrytest.Built{"v1": b})
	change := func(hex string) string {
		names, files := untar(t, load(t, dir+"/a.tar"))
		data := files["blobs/sha256/"+hex]
		data[len(data)/2] ^= 1
		file := dir + "/" + hex + ".tar"
		save(t, file, registrytest.Tar(names, files))
		return "oci-archive:" + file
	}
	layer := b.Order[0]
	o := open(t, change(layer.Digest.Hex))
	if _, err := read(t.Context(), o.Source, layer); !errors.Is(err, registry.ErrContent) ||
		!strings.Contains(err.Error(), layer.Digest.Hex) {
		t.Errorf("a layer: %v", err)
	}
	if _, err := archive.Open(t.Context(), parse(t, change(b.Digest().Hex))); !errors.Is(err, registry.ErrContent) {
		t.Errorf("the manifest: %v", err)
	}
}

// Names and links in a tar never lead to files outside of it.
func TestLinksStayInArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	built := image(amd64, "1")
	layer := built.Order[len(built.Order)-1]
	name := "blobs/sha256/" + layer.Digest.Hex
	write(t, "oci-archive:"+dir+"/good.tar", map[string]registrytest.Built{"v1": built})
	good := members(t, load(t, dir+"/good.tar"))
	save(t, dir+"/outside", built.Blobs[layer.Digest])
	up := strings.Repeat("../", 20) + dir[1:]
	for _, tt := range []struct {
		target string
		kind   byte
		within bool
	}{
		{dir + "/outside", tar.TypeSymlink, false},
		{dir + "/outside", tar.TypeLink, false},
		{up + "/outside", tar.TypeSymlink, false},
		{up + "/outside", tar.TypeLink, false},
		{"inside", tar.TypeSymlink, true},
		{"blobs/sha256/inside", tar.TypeLink, true},
	} {
		entries := append(without(good, name), member("blobs/sha256/inside", built.Blobs[layer.Digest]),
			link(name, tt.target, tt.kind))
		save(t, dir+"/linked.tar", pack(t, entries...))
		o := open(t, "oci-archive:"+dir+"/linked.tar")
		if _, err := read(t.Context(), o.Source, layer); tt.within != (err == nil) ||
			!tt.within && !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("a layer that is a link (%c) to %q: %v", tt.kind, tt.target, err)
		}
	}
	entries := append(without(good, "index.json"), link("index.json", dir+"/outside", tar.TypeSymlink),
		link("../../x", "index.json", tar.TypeSymlink), link("a", "a", tar.TypeSymlink))
	save(t, dir+"/evil.tar", pack(t, entries...))
	if _, err := archive.Open(t.Context(), parse(t, "oci-archive:"+dir+"/evil.tar")); !errors.Is(err,
		registry.ErrContent) || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("links out of the archive: %v", err)
	}
}
