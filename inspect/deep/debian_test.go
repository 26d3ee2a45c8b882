package deep_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// debians are Debian's architectures and their platforms.
var debians = []struct{ arch, platform string }{
	{"amd64", "linux/amd64"},
	{"arm64", "linux/arm64"},
	{"armhf", "linux/arm/v7"},
	{"i386", "linux/386"},
	{"ppc64el", "linux/ppc64le"},
	{"riscv64", "linux/riscv64"},
	{"s390x", "linux/s390x"},
}

// debianLayers returns the tars that testdata/rootfs.sh made for an architecture. It skips the test if there are none.
func debianLayers(t testing.TB, arch string) []string {
	t.Helper()
	dir := os.Getenv("MTOOL_ROOTFS")
	if dir == "" {
		dir = filepath.Join("..", "..", ".deps", "rootfs")
	}
	layers, err := filepath.Glob(filepath.Join(dir, arch+"-?.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) == 0 {
		if slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "debian") {
			t.Fatalf("no file system of %s in %s: testdata/rootfs.sh makes it", arch, dir)
		}
		t.Skipf("no file system of %s in %s", arch, dir)
	}
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		layers = layers[:1]
	}
	return layers
}

// files is a source of blobs that are files, or bytes.
type files struct {
	registry.Source

	paths map[v1.Hash]string
	bytes map[v1.Hash][]byte
}

func (f files) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if body, ok := f.bytes[d.Digest]; ok {
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	return os.Open(f.paths[d.Digest])
}

// stack is an image of uncompressed layers that are files or bytes, so that digest and diffID are the same.
type stack struct {
	files

	layers []v1.Descriptor
}

func newStack() *stack {
	return &stack{files: files{paths: map[v1.Hash]string{}, bytes: map[v1.Hash][]byte{}}}
}

func (s *stack) file(t testing.TB, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	digest, size, err := v1.SHA256(f)
	if err != nil {
		t.Fatal(err)
	}
	s.paths[digest] = path
	s.layers = append(s.layers,
		v1.Descriptor{Digest: digest, Size: size, MediaType: "application/vnd.oci.image.layer.v1.tar"})
}

func (s *stack) tar(body []byte) {
	digest := registrytest.Hash(body)
	s.bytes[digest] = body
	s.layers = append(s.layers,
		v1.Descriptor{Digest: digest, Size: int64(len(body)), MediaType: "application/vnd.oci.image.layer.v1.tar"})
}

// image returns an image of the stack that claims a platform and starts a command.
func (s *stack) image(t testing.TB, name string, command ...string) inspect.Image {
	t.Helper()
	p, err := platform.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Config struct{ Entrypoint []string } `json:"config"`
		RootFS struct {
			DiffIDs []v1.Hash `json:"diff_ids"`
		} `json:"rootfs"`
	}
	config.Config.Entrypoint = command
	for _, l := range s.layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.Digest)
	}
	body, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return inspect.Image{
		Descriptor: v1.Descriptor{Platform: &p}, Config: p, ConfigBody: body, Layers: s.layers,
		Source: s.files,
	}
}

func debian(t testing.TB, arch string) *stack {
	t.Helper()
	s := newStack()
	for _, l := range debianLayers(t, arch) {
		s.file(t, l)
	}
	return s
}

// Real file systems have no faults on their own platform. On another, everything that matters is a fault.
func TestDebian(t *testing.T) {
	t.Parallel()
	for i, d := range debians {
		t.Run(d.arch, func(t *testing.T) {
			t.Parallel()
			right := debian(t, d.arch)
			foreign := debians[(i+1)%len(debians)]
			r := inspected(t, inspect.Report{Images: []inspect.Image{
				right.image(t, d.platform, "bash", "-c", "ls | cat"), right.image(t, foreign.platform, "bash"),
			}}, deep.Options{})
			if v := r.Verdicts[0]; v.State != inspect.BinariesOK {
				t.Errorf("on its own platform: %s", v.Message)
			}
			if v := r.Verdicts[1]; v.State != inspect.Mismatch {
				t.Errorf("as %s: %s", foreign.platform, v.Message)
			}
			programs, wrong := 0, map[string]bool{}
			for _, f := range r.Findings {
				switch {
				case f.State == inspect.Mismatch && f.Platform == d.platform:
					t.Errorf("a false finding: %s", f.Message)
				case f.State == inspect.Mismatch:
					programs++
					wrong[f.Role] = true
				case f.Rule != deep.NotStated:
					t.Logf("%s", f.Message)
				}
			}
			if !wrong["entrypoint"] || !wrong["loader"] || !wrong["shell"] || !wrong["shared object"] || programs < 100 {
				t.Errorf("as %s: %d wrong programs with the roles %v", foreign.platform, programs, wrong)
			}
			t.Logf("%s; as %s: %s", r.Verdicts[0].Evidence, foreign.platform, r.Verdicts[1].Evidence)
		})
	}
}

// Real programs for other architectures are planted under neutral names in layers below and above the file system. All
// are found, and nothing else. Files that an upper layer hides do not count.
func TestPlantedInDebian(t *testing.T) {
	t.Parallel()
	const planted, hidden = 200, 20
	seed := uint64(1) // fixed, so that a run shows the effect of a change; full runs choose a new one each time
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		seed = uint64(time.Now().UnixNano())
	}
	if s := os.Getenv("MTOOL_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("MTOOL_TEST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	programs := map[string][][]byte{}
	for _, d := range debians {
		programs[d.platform] = somePrograms(t, debianLayers(t, d.arch)[0])
	}
	var report inspect.Report
	var want [][]string
	for _, d := range debians {
		g := garden{random: random, programs: programs, home: d.platform, hiding: newTar()}
		s := newStack()
		below, above := newTar(), []*archive{newTar(), newTar()}
		for n := range (planted + len(debians) - 1) / len(debians) {
			g.plant([]*archive{below, above[0], above[1]}[random.IntN(3)], n)
		}
		for n := range hidden / len(debians) {
			g.hide([]*archive{below, above[0], above[1]}[random.IntN(3)], n)
		}
		s.tar(below.close(t))
		for _, l := range debianLayers(t, d.arch) {
			s.file(t, l)
		}
		s.tar(above[0].close(t))
		s.tar(above[1].close(t))
		s.tar(g.hiding.close(t))
		report.Images = append(report.Images, s.image(t, d.platform, "/bin/bash"))
		slices.Sort(g.planted)
		want = append(want, g.planted)
	}
	r := inspected(t, report, deep.Options{})
	for i, d := range debians {
		var found []string
		for _, f := range r.Findings {
			if f.State == inspect.Mismatch && f.Platform == d.platform {
				found = append(found, f.Path)
			}
		}
		slices.Sort(found)
		if !slices.Equal(found, want[i]) {
			t.Errorf("%s: found %d, planted %d\nfound %q\nplanted %q", d.platform, len(found), len(want[i]), found, want[i])
		}
	}
}

// somePrograms returns executables and shared objects of a file system, of all sizes up to 4 MiB.
func somePrograms(t *testing.T, layer string) (all [][]byte) {
	t.Helper()
	f, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4)
		if n, _ := io.ReadFull(r, head); n < 4 || string(head) != "\x7fELF" || h.Size > 4<<20 ||
			len(all) > 60 && !strings.Contains(h.Name, "/bin/") {
			continue
		}
		rest, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		body := append(head, rest...)
		if fact, err := binary.Read(bytes.NewReader(body), binary.Options{}); err == nil && fact.Kind != binary.ELFObject {
			all = append(all, body)
		}
	}
}

// archive is a tar in memory.
type archive struct {
	bytes.Buffer

	w *tar.Writer
}

func newTar() *archive {
	a := &archive{}
	a.w = tar.NewWriter(&a.Buffer)
	return a
}

func (a *archive) close(t *testing.T) []byte {
	t.Helper()
	if err := a.w.Close(); err != nil {
		t.Fatal(err)
	}
	return a.Bytes()
}

func (a *archive) put(name string, mode int64, body []byte) {
	_ = a.w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(body)), Typeflag: tar.TypeReg}) // writing to memory can't fail
	_, _ = a.w.Write(body)
}

// garden plants foreign files in an image for home.
type garden struct {
	random   *rand.Rand
	programs map[string][][]byte
	home     string
	planted  []string
	hiding   *archive // a layer above the others
}

// foreign returns a program that home does not run, followed by zeros, like an appended archive.
func (g *garden) foreign() []byte {
	for {
		d := debians[g.random.IntN(len(debians))]
		if d.platform == g.home || d.platform == "linux/386" && g.home == "linux/amd64" {
			continue
		}
		all := g.programs[d.platform]
		body := slices.Clone(all[g.random.IntN(len(all))])
		return append(body, make([]byte, g.random.IntN(1<<g.random.IntN(20)))...)
	}
}

func (g *garden) path(word string, n int) string {
	dirs := []string{"opt", "usr/bin", "usr/lib", "srv/app", "var/lib/x", "usr/share/doc"}
	path := dirs[g.random.IntN(len(dirs))]
	for range g.random.IntN(40) {
		path += fmt.Sprintf("/d%d", g.random.IntN(3))
	}
	return fmt.Sprintf("%s/%s%d", path, word, n)
}

func (g *garden) plant(a *archive, n int) {
	path := g.path("planted", n)
	a.put([]string{"", "./", "/"}[g.random.IntN(3)]+path, []int64{0o755, 0o644, 0o4755}[g.random.IntN(3)], g.foreign())
	g.planted = append(g.planted, path)
}

// hide plants a file that a whiteout or a file of an upper layer hides.
func (g *garden) hide(a *archive, n int) {
	path := g.path("hidden", n)
	a.put(path, 0o755, g.foreign())
	if g.random.IntN(2) == 0 {
		g.hiding.put(path, 0o644, []byte("text\n"))
		return
	}
	dir, name := filepath.Split(path)
	g.hiding.put(dir+".wh."+name, 0o644, nil)
}
