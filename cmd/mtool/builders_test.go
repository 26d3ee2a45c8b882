package main

import (
	"archive/tar"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"mtool/cmd/internal/testparts"
)

// TestBuilders builds one context with mtool, buildctl, docker build and buildah build. The images must have the same
// files: names, modes, owners, contents and links.
func TestBuilders(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Buildah, testparts.Buildkit, testparts.Docker, testparts.Skopeo)
	mtool, err := exec.LookPath("mtool") // this test, under that name
	if err != nil {
		t.Fatal(err)
	}
	context := builderContext(t)
	var first map[string]string
	for _, b := range testparts.StartRivals(t, mtool, "vfs") {
		outputOf(t, b.Name, b.Build(context))
		files := filesOf(t, strings.TrimSpace(outputOf(t, b.Name, b.Layout())))
		if first == nil {
			first = files
			checkFiles(t, files)
			continue
		}
		for _, difference := range fileDifferences(first, files) {
			t.Errorf("mtool and %s: %s", b.Name, difference)
		}
	}
}

// checkFiles checks some files of the image, and that fileDifferences finds differences.
func checkFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for path, want := range map[string]string{
		"made/file": "directory 711 0:0", "made/setuid": "4755 1000:1000 ", "made/link": "777 33:34 -> file",
		"owned/sub/b": "644 12:34 ",
		"one":         "640 0:0 ", "copied/gone/deep/file": "644 0:0 ", "made/shared": "directory 2775 65534:65534",
		"made/sticky": "directory 1777 0:0",
	} {
		if !strings.HasPrefix(files[path], want) {
			t.Errorf("%s is %q, want %q", path, files[path], want)
		}
	}
	if got, ok := files["made/gone"]; ok {
		t.Errorf("made/gone is %q, but should be gone", got)
	}
	changed := maps.Clone(files)
	changed["one"] += "x"
	delete(changed, "tool")
	changed["more"] = ""
	if got := fileDifferences(files, changed); len(got) != 3 {
		t.Errorf("got differences %q, want three", got)
	}
}

func fileDifferences(a, b map[string]string) (all []string) {
	for path, file := range a {
		if b[path] != file {
			all = append(all, fmt.Sprintf("%s is %q and %q", path, file, b[path]))
		}
	}
	for path, file := range b {
		if _, ok := a[path]; !ok {
			all = append(all, fmt.Sprintf("%s is only in the latter: %q", path, file))
		}
	}
	slices.Sort(all)
	return all
}

// builderContext returns a copy of testdata/builders with its program compiled, and an archive with the paths that a
// container runtime mounts or writes.
func builderContext(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join("..", "..", "testdata", "builders")
	script := `cp -rd "$0"/. . && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o tool tool.go && rm tool.go
		mkdir -p files/dev files/proc files/sys files/run files/etc files/tmp && touch files/etc/hosts files/etc/resolv.conf files/etc/hostname
		tar -c --owner=0 --group=0 --mtime=@0 -f files.tar -C files . && rm -r files`
	source, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script, source)
	cmd.Dir = dir
	outputOf(t, "making the context", cmd)
	return dir
}

func outputOf(t testing.TB, name string, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// filesOf describes the files of the only image in a layout, by path.
func filesOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%v, %v", manifest, err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return extracted(t, image)
}

func extracted(t testing.TB, image v1.Image) map[string]string {
	t.Helper()
	body := mutate.Extract(image)
	defer body.Close()
	files := map[string]string{}
	for r := tar.NewReader(body); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		file := fmt.Sprintf("%o %d:%d ", h.Mode&0o7777, h.Uid, h.Gid)
		switch h.Typeflag {
		case tar.TypeDir:
			file = "directory " + file
		case tar.TypeSymlink:
			file += "-> " + h.Linkname
		case tar.TypeLink:
			file += "= " + strings.TrimPrefix(h.Linkname, "/")
		default:
			sum := sha256.New()
			if _, err := io.Copy(sum, r); err != nil {
				t.Fatal(err)
			}
			file += fmt.Sprintf("%x", sum.Sum(nil)[:8])
		}
		if path := strings.Trim(filepath.Clean(h.Name), "/"); path != "." {
			files[path] = file
		}
	}
}

// BenchmarkBuilders times the builders in turn: with an empty cache, and again with nothing changed. $MTOOL is the
// mtool to time, $ROUNDS the number of rounds.
func BenchmarkBuilders(b *testing.B) {
	testparts.Need(b, testparts.Buildah, testparts.Buildkit, testparts.Docker, testparts.Skopeo)
	context := builderContext(b)
	builders := testparts.StartRivals(b, os.Getenv("MTOOL"), "overlay")
	rounds, _ := strconv.Atoi(cmp.Or(os.Getenv("ROUNDS"), "5"))
	cold, warm := make([][]time.Duration, len(builders)), make([][]time.Duration, len(builders))
	timed := func(builder testparts.Rival) time.Duration {
		start := time.Now()
		outputOf(b, builder.Name, builder.Build(context))
		return time.Since(start)
	}
	for range rounds {
		for i, builder := range builders {
			outputOf(b, builder.Name, builder.Forget())
			cold[i] = append(cold[i], timed(builder))
		}
		for i, builder := range builders {
			warm[i] = append(warm[i], timed(builder), timed(builder), timed(builder))
		}
	}
	fmt.Printf("\n%-14s %8s %8s %10s %10s\n", "", "cold ms", "warm ms", "cold/mtool", "warm/mtool")
	for i, builder := range builders {
		fmt.Printf("%-14s %8d %8d %10.2f %10.2f\n", builder.Name, median(cold[i]).Milliseconds(),
			median(warm[i]).Milliseconds(),
			float64(median(cold[i]))/float64(median(cold[0])), float64(median(warm[i]))/float64(median(warm[0])))
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
