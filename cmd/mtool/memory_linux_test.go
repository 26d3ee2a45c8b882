package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"mtool/cmd/internal/testparts"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// peakFile is the environment variable with the file to which a measured mtool writes its peak memory, in kB.
const peakFile = "MTOOL_TEST_PEAK"

// measured runs mtool and writes the peak of its resident memory, as the kernel counts it.
func measured() {
	code := run()
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		peak, _, _ = strings.Cut(strings.TrimSpace(peak), " ")
		err = os.WriteFile(os.Getenv(peakFile), []byte(peak), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// greedy are images whose inspection could use much memory.
var greedy = []struct {
	name   string
	layers int
	write  func(w *tar.Writer, layer int)
	zstd   bool
	want   string // part of the output
}{
	{name: "many files", layers: 2, write: func(w *tar.Writer, layer int) {
		for i := range 300_000 {
			_ = w.WriteHeader(&tar.Header{
				Name:   fmt.Sprintf("node_modules/package-%d/lib/file-%d-%d.js", i/400, layer, i),
				Format: tar.FormatUSTAR,
			})
		}
	}},
	{name: "directories", layers: 8, write: func(w *tar.Writer, layer int) {
		for i := range 60_000 {
			_ = w.WriteHeader(&tar.Header{
				Name: fmt.Sprintf("d%d/%d-%d/", i%1000, layer, i), Typeflag: tar.TypeDir,
				Format: tar.FormatUSTAR,
			})
		}
	}},
	{name: "programs", layers: 8, write: func(w *tar.Writer, layer int) {
		program := registrytest.Program("arm64", "")
		for i := range 40_000 {
			_ = w.WriteHeader(&tar.Header{
				Name: fmt.Sprintf("bin/%d-%d", layer, i), Mode: 0o755, Size: int64(len(program)),
				Format: tar.FormatUSTAR,
			})
			_, _ = w.Write(program)
		}
	}},
	{name: "long names", layers: 4, write: func(w *tar.Writer, layer int) {
		for i := range 8_000 {
			_ = w.WriteHeader(
				&tar.Header{
					Name:   fmt.Sprintf("%s/%d-%d", strings.Repeat("n/", 100)+strings.Repeat("x", 3000), layer, i),
					Format: tar.FormatPAX,
				})
		}
	}},
	{name: "zstd windows", layers: 8, zstd: true, write: func(w *tar.Writer, layer int) {
		const size = 80 << 20
		_ = w.WriteHeader(&tar.Header{Name: fmt.Sprintf("zeros-%d", layer), Size: size, Format: tar.FormatGNU})
		for range size >> 20 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	}},
	{name: "headers without end", layers: 1, write: func(w *tar.Writer, _ int) {
		for i := range 900_000 {
			_ = w.WriteHeader(&tar.Header{
				Name: "same", Linkname: strings.Repeat("l", i%100), Typeflag: tar.TypeSymlink,
				Format: tar.FormatUSTAR,
			})
		}
	}},
	{name: "gigabytes of headers", layers: 1, want: " unknown ", write: func(w *tar.Writer, _ int) {
		const size = 500 << 10
		left := 128 << 20
		if os.Getenv("MTOOL_TEST_FULL") != "" {
			left = 2 << 30
		}
		for i := 0; left > 0; i++ {
			piece := "" // long enough not to be compressed like a bomb
			for n := range 32 {
				piece += fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i, n)))
			}
			records := map[string]string{"comment": strings.Repeat(piece, size/len(piece))}
			_ = w.WriteHeader(&tar.Header{Name: "same", PAXRecords: records, Format: tar.FormatPAX})
			left -= size
		}
	}},
	{name: "zeros", layers: 1, want: " unknown ", write: func(w *tar.Writer, _ int) {
		const size = 300 << 20
		_ = w.WriteHeader(&tar.Header{Name: "zeros", Size: size, Format: tar.FormatGNU})
		for range size >> 20 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	}},
}

// greedyLayer compresses the layers of greedy[n] while it makes them, so that they are never in memory uncompressed.
func greedyLayer(t *testing.T, n int) []layerBytes {
	t.Helper()
	g := greedy[n]
	layers := make([]layerBytes, g.layers)
	for i := range layers {
		var packed bytes.Buffer
		diffID := sha256.New()
		z, err := zstd.NewWriter(&packed, zstd.WithWindowSize(32<<20), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(1))
		if !g.zstd {
			z, err = zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		}
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(io.MultiWriter(z, diffID))
		g.write(w, i)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		layers[i] = layerBytes{packed.Bytes(), v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(diffID.Sum(nil))}}
	}
	return layers
}

type layerBytes struct {
	packed []byte
	diffID v1.Hash
}

// greedyImage returns an image for arm64 with these layers.
func greedyImage(t *testing.T, layers []layerBytes) registrytest.Built {
	t.Helper()
	b := registrytest.Built{Blobs: map[v1.Hash][]byte{}}
	add := func(mediaType types.MediaType, data []byte) v1.Descriptor {
		d := v1.Descriptor{MediaType: mediaType, Digest: registrytest.Hash(data), Size: int64(len(data))}
		b.Order, b.Blobs[d.Digest] = append(b.Order, d), data
		return d
	}
	var config struct {
		Architecture string    `json:"architecture"`
		OS           string    `json:"os"`
		RootFS       v1.RootFS `json:"rootfs"`
	}
	config.Architecture, config.OS, config.RootFS.Type = "arm64", "linux", "layers"
	var manifest struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Config        v1.Descriptor   `json:"config"`
		Layers        []v1.Descriptor `json:"layers"`
	}
	manifest.SchemaVersion, manifest.MediaType = 2, types.OCIManifestSchema1
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		manifest.Layers = append(manifest.Layers, add(types.OCILayerZStd, l.packed))
	}
	body, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	manifest.Config = add(types.OCIConfigJSON, body)
	if body, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	if b.Manifest, err = registry.NewManifest(types.OCIManifestSchema1, body); err != nil {
		t.Fatal(err)
	}
	b.Manifests = []registry.Manifest{b.Manifest}
	return b
}

// mostMemory limits the memory of an inspection, the program included, in kB.
const mostMemory = 128 << 10

// peakOf runs mtool, which may fail, and returns its peak memory in kB.
func peakOf(t *testing.T, args ...string) (kB int, out []byte, failed error) {
	t.Helper()
	home := t.TempDir()
	peak := filepath.Join(home, "peak")
	cmd := exec.CommandContext(t.Context(), "mtool-measured", args...)
	// A machine with 8 processors reads 8 layers at once.
	cmd.Env = append(os.Environ(), peakFile+"="+peak, "HOME="+home, "MTOOL_HOME="+home, "DOCKER_CONFIG="+home,
		"GOMAXPROCS=8")
	out, failed = cmd.CombinedOutput()
	text, err := os.ReadFile(peak)
	if err != nil {
		t.Fatalf("%v (%v)\n%s", failed, err, out)
	}
	if _, err := fmt.Sscan(string(text), &kB); err != nil {
		t.Fatal(err)
	}
	return kB, out, failed
}

// TestMemoryOfInspect checks that a deep inspection of any image takes at most 128 MB, the program included.
func TestMemoryOfInspect(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Slow)
	if testing.Short() {
		t.Skip("unpacks some gigabytes")
	}
	server, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for n, g := range greedy {
		t.Run(g.name, func(t *testing.T) {
			server.Load("demo", "v1", greedyImage(t, greedyLayer(t, n)))
			kB, out, err := peakOf(t, "inspect", "--deep", "--no-facts", server.Host()+"/demo:v1")
			t.Logf("%d MB; %v", kB>>10, err)
			if kB > mostMemory {
				t.Errorf("it took %d kB, want at most %d\n%s", kB, mostMemory, out)
			}
			if !bytes.Contains(out, []byte("linux/arm64")) {
				t.Errorf("nothing was inspected:\n%s", out)
			}
			if !bytes.Contains(out, []byte(g.want)) {
				t.Errorf("the output lacks %q:\n%s", g.want, out)
			}
		})
	}
}
