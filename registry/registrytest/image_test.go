package registrytest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/json"
	"io"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry/registrytest"
)

func TestELF(t *testing.T) {
	t.Parallel()
	tests := []struct {
		arch    string
		machine elf.Machine
		class   elf.Class
		data    elf.Data
	}{
		{"386", elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB},
		{"amd64", elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB},
		{"arm", elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB},
		{"arm64", elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB},
		{"loong64", elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB},
		{"mips64", elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2MSB},
		{"mips64le", elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2LSB},
		{"ppc64le", elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB},
		{"riscv64", elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB},
		{"s390x", elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB},
	}
	for _, tt := range tests {
		data := registrytest.ELF(tt.arch)
		f, err := elf.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", tt.arch, err)
			continue
		}
		if f.Machine != tt.machine || f.Class != tt.class || f.Data != tt.data || f.Type != elf.ET_EXEC || len(f.Progs) != 1 {
			t.Errorf("%s: %+v", tt.arch, f.FileHeader)
		}
		if len(data) > 120 || f.Progs[0].Filesz != uint64(len(data)) {
			t.Errorf("%s: %d bytes, but the program header has size %d", tt.arch, len(data), f.Progs[0].Filesz)
		}
	}
	if _, err := elf.NewFile(bytes.NewReader(registrytest.ELF("pdp11"))); err == nil {
		t.Error("an unknown architecture made an ELF")
	}
}

type image struct {
	Manifest v1.Manifest
	Config   v1.ConfigFile
	App      []byte
}

// open reads a built image like a client, and checks its digests and sizes.
func open(t *testing.T, b registrytest.Built) (i image) {
	t.Helper()
	if err := json.Unmarshal(b.Manifest.Body, &i.Manifest); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Blobs[i.Manifest.Config.Digest], &i.Config); err != nil {
		t.Fatal(err)
	}
	for n, layer := range i.Manifest.Layers {
		packed := b.Blobs[layer.Digest]
		if registrytest.Hash(packed) != layer.Digest || int64(len(packed)) != layer.Size {
			t.Errorf("layer %d does not match its descriptor", n)
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(unpacked)
		if err != nil || registrytest.Hash(plain) != i.Config.RootFS.DiffIDs[n] {
			t.Errorf("layer %d has another diffID: %v", n, err)
		}
		for files := tar.NewReader(bytes.NewReader(plain)); ; {
			h, err := files.Next()
			if err != nil {
				break
			}
			if h.Name == "app" {
				i.App, _ = io.ReadAll(files)
			}
		}
	}
	return i
}

func TestImageMatchesSpec(t *testing.T) {
	t.Parallel()
	p := v1.Platform{
		OS: "windows", Architecture: "arm", Variant: "v7", OSVersion: "10.0.1",
		OSFeatures: []string{"win32k"},
	}
	i := open(t, registrytest.Image(registrytest.ImageSpec{Platform: p, Layers: 2, Padding: 100}))
	if got := i.Config.Platform(); !got.Equals(p) {
		t.Errorf("got platform %v, want %v", got, p)
	}
	if len(i.Manifest.Layers) != 2 || !bytes.Equal(i.App, registrytest.ELF("arm")) {
		t.Errorf("got %d layers, /app %x", len(i.Manifest.Layers), i.App)
	}
	liar := open(t, registrytest.Image(registrytest.ImageSpec{Platform: p, Binary: "s390x"}))
	if !bytes.Equal(liar.App, registrytest.ELF("s390x")) || liar.Config.Architecture != "arm" {
		t.Errorf("the liar claims %s and has %x", liar.Config.Architecture, liar.App)
	}
}

// Scripts contain digests of fixtures. So equal specs give equal bytes in every run, and different specs do not.
func TestEqualSpecsGiveEqualImages(t *testing.T) {
	t.Parallel()
	amd64, arm64 := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}
	seen := map[v1.Hash]int{}
	for n, spec := range []registrytest.ImageSpec{
		{},
		{Platform: amd64},
		{Platform: arm64},
		{Platform: amd64, Binary: "arm64"},
		{Platform: amd64, Docker: true},
		{Platform: amd64, Layers: 2},
		{Platform: amd64, Seed: "x"},
		{Platform: amd64, Padding: 9},
		{Platform: amd64, Untyped: true},
	} {
		a, b := registrytest.Image(spec), registrytest.Image(spec)
		if a.Digest() != b.Digest() {
			t.Errorf("%+v: two digests", spec)
		}
		if other, ok := seen[a.Digest()]; ok {
			t.Errorf("specs %d and %d have one digest", other, n)
		}
		seen[a.Digest()] = n
	}
}

func TestSharedLayer(t *testing.T) {
	t.Parallel()
	one := open(t, registrytest.Image(registrytest.ImageSpec{SharedLayer: "s", Binary: "amd64", Seed: "1"}))
	two := open(t, registrytest.Image(registrytest.ImageSpec{SharedLayer: "s", Binary: "amd64", Seed: "2"}))
	if one.Manifest.Layers[0].Digest != two.Manifest.Layers[0].Digest ||
		one.Manifest.Config.Digest == two.Manifest.Config.Digest {
		t.Error("want the same layer and different configs")
	}
}

func TestListRows(t *testing.T) {
	t.Parallel()
	amd64, arm64 := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}
	honest := registrytest.Image(registrytest.ImageSpec{Platform: amd64})
	missing := registrytest.Image(registrytest.ImageSpec{Platform: arm64})
	b := registrytest.List(registrytest.ListSpec{Attested: true, Entries: []registrytest.Entry{
		{Built: honest},
		{Built: honest, Claim: &arm64},
		{Built: honest, NoPlatform: true},
		{Built: honest, WrongSize: true},
		{Built: missing, Missing: true},
	}})
	var index v1.IndexManifest
	if err := json.Unmarshal(b.Manifest.Body, &index); err != nil {
		t.Fatal(err)
	}
	rows := index.Manifests
	if rows[0].Platform.Architecture != "amd64" || rows[1].Platform.Architecture != "arm64" || rows[2].Platform != nil {
		t.Errorf("platforms: %v %v %v", rows[0].Platform, rows[1].Platform, rows[2].Platform)
	}
	if rows[3].Size == rows[0].Size {
		t.Error("WrongSize did not change the size")
	}
	if slices.ContainsFunc(b.Manifests[:len(b.Manifests)-1],
		func(m registryManifest) bool { return m.Digest == missing.Digest() }) {
		t.Error("the missing image is in the list")
	}
	attestation := rows[5]
	if attestation.Platform.OS != "unknown" ||
		attestation.Annotations["vnd.docker.reference.digest"] != honest.Digest().String() {
		t.Errorf("the attestation's row: %+v", attestation)
	}
}
