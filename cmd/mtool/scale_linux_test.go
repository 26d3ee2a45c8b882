package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

const (
	megabyte = 1 << 20
	// memoryBound limits the memory for moving a layer of any size.
	memoryBound = 64 * megabyte
	// fullLayer is the size that make long moves, shortLayer that of other runs. Both are far above memoryBound.
	fullLayer, shortLayer = 4096 * megabyte, 512 * megabyte
)

// usage is the memory and time that a command used.
type usage struct {
	peak int64         // bytes of resident memory
	cpu  time.Duration // of all its threads, in user mode
}

// measure runs mtool, which must succeed, and returns its usage.
func measure(t *testing.T, args ...string) usage {
	t.Helper()
	home := t.TempDir()
	peakAt := filepath.Join(home, "peak")
	cmd := exec.CommandContext(t.Context(), "mtool-measured", args...)
	cmd.Env = append(os.Environ(), peakFile+"="+peakAt, "MTOOL_HOME="+home, "HOME="+home, "DOCKER_CONFIG="+home)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("mtool %.200q: %v\n%s", args, err, out[:min(len(out), 4000)])
	}
	text, err := os.ReadFile(peakAt)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return usage{kb << 10, cmd.ProcessState.UserTime()}
}

// TestMemoryOfHugeLayers moves a layer larger than the memory limit out of a layout and between registries.
func TestMemoryOfHugeLayers(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Slow)
	size := int64(shortLayer)
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		size = fullLayer
	}
	huge := newHugeImage(t, size)
	from, to := serveHuge(t, map[string]hugeImage{"huge": huge, "small": newHugeImage(t, 2*memoryBound)}), newSink(t)
	layout := huge.layout(t)
	for name, args := range map[string][]string{
		"push of a layout":         {"push", "oci:" + layout + ":v1", to.host() + "/pushed:v1"},
		"copy between registries":  {"copy", from + "/huge:v1", to.host() + "/copied:v1"},
		"deep inspection":          {"inspect", "--deep", "--no-verify", "--no-facts", from + "/huge:v1"},
		"publishing under a list":  {"create", to.host() + "/listed:v1", from + "/huge:v1", "--push"},
		"import into the store":    {"copy", from + "/small:v1", "store:small:v1"},
		"export out of a registry": {"save", from + "/small:v1", "-o", filepath.Join(t.TempDir(), "small.tar")},
	} {
		t.Run(name, func(t *testing.T) {
			took := measure(t, args...)
			t.Logf("%d MB at the peak for a layer of %d MB", took.peak/megabyte, size/megabyte)
			bound := int64(memoryBound)
			if args[0] == "inspect" {
				bound *= 2
			}
			if took.peak == 0 || took.peak > bound {
				t.Errorf("%d MB at the peak, want at most %d", took.peak/megabyte, bound/megabyte)
			}
		})
	}
	if got := to.largest.Load(); got != size {
		t.Errorf("the largest blob that arrived has %d bytes, want %d", got, size)
	}
}

// TestThousandEntries creates and inspects lists of growing length. The number of requests must be exact, and the
// processor time must grow with the length, not with its square.
func TestThousandEntries(t *testing.T) {
	t.Parallel()
	lengths := []int{8, 125, 1000}
	took := map[string][]usage{}
	for _, n := range lengths {
		server := registrytest.New(t, registrytest.Options{})
		create := []string{"create", server.Host() + "/list:v1", "--push"}
		for i := range n {
			p := v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: fmt.Sprintf("10.0.%d.1", 10_000+i)}
			tag := fmt.Sprintf("v1-%d", i)
			server.Load("list", tag, registrytest.Image(registrytest.ImageSpec{Platform: p, Seed: tag}))
			create = append(create, fmt.Sprintf("%s/list:%s", server.Host(), tag))
		}
		for _, step := range []struct {
			name string
			args []string
			want int
		}{{"create", create, 2*n + 2}, {"inspect", []string{"inspect", "-o", "json", server.Host() + "/list:v1"}, 2*n + 1}} {
			before := len(server.Requests())
			took[step.name] = append(took[step.name], measure(t, step.args...))
			if got := len(server.Requests()) - before; got != step.want {
				t.Errorf("%s of %d entries: %d requests, want %d", step.name, n, got, step.want)
			}
		}
	}
	for name, all := range took {
		t.Logf("%s of %v entries: %v", name, lengths, all)
		const square, lenient = 64, 3 // eight times the entries: linear is 8
		if slow := float64(all[2].cpu) / float64(all[1].cpu+10*time.Millisecond); slow > square/lenient {
			t.Errorf("%s: eight times as many entries take %.0f times as long", name, slow)
		}
	}
}
