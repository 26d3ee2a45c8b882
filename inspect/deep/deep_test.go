package deep_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/rootfs"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// Wrong files at random paths, in random layers, of random kinds: all of them are found, and no other.
func TestPlanted(t *testing.T) {
	t.Parallel()
	const images, each = 20, 10
	for seed := range uint64(images) {
		random := rand.New(rand.NewPCG(seed, 1))
		lines, planted := forest(random, each)
		r := run(t, image(t, "linux/arm64", lines...), deep.Options{})
		var found []string
		for _, f := range r.Findings {
			if f.State == inspect.Mismatch {
				found = append(found, f.Path)
			}
		}
		slices.Sort(found)
		slices.Sort(planted)
		if !slices.Equal(found, planted) {
			t.Errorf("seed %d: found %q, planted %q", seed, found, planted)
		}
	}
}

// forest returns the lines of an image with right files and n wrong ones, none of which is hidden.
func forest(random *rand.Rand, n int) (lines, planted []string) {
	foreign := []string{"amd64", "386", "s390x", "ppc64le", "riscv64", "armv7", "mips64le"}
	for file := range 300 {
		if file%100 == 0 && file > 0 {
			lines = append(lines, "--")
		}
		path := fmt.Sprintf("%s/file%d", strings.Join(slices.Repeat([]string{"d"}, 1+random.IntN(30)), "/"), file)
		kind := []string{"elf", "so"}[random.IntN(2)]
		arch := "arm64"
		if file%(300/n) == random.IntN(5) && len(planted) < n || 300-file <= n-len(planted) {
			arch, planted = foreign[random.IntN(len(foreign))], append(planted, path)
		}
		lines = append(lines, kind+" "+path+" "+arch)
	}
	return append(lines, "elf app arm64"), planted
}

// counting records the requests to a source and can answer with other bytes.
type counting struct {
	registry.Source

	mu       sync.Mutex
	requests []v1.Hash
	lie      map[v1.Hash][]byte
}

func (c *counting) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, d.Digest)
	if body, ok := c.lie[d.Digest]; ok {
		return io.NopCloser(strings.NewReader(string(body))), nil
	}
	return c.Source.Blob(ctx, d)
}

// counted returns the report of b, and the source through which its layers are read.
func counted(t *testing.T, b registrytest.Built) (inspect.Report, *counting) {
	t.Helper()
	r := report(t, b)
	c := &counting{Source: b.Source(), lie: map[v1.Hash][]byte{}}
	for i := range r.Images {
		r.Images[i].Source = c
	}
	return r, c
}

func inspected(t *testing.T, r inspect.Report, o deep.Options) deep.Result {
	t.Helper()
	result, err := deep.Inspect(t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func listOf(specs ...registrytest.ImageSpec) registrytest.Built {
	var built []registrytest.Built
	for _, s := range specs {
		built = append(built, registrytest.Image(s))
	}
	return registrytest.ListOf(built...)
}

func TestEachLayerOnce(t *testing.T) {
	t.Parallel()
	b := listOf(
		image(t, "linux/amd64", "plain shared", "--", "elf app amd64"),
		image(t, "linux/arm64", "plain shared", "--", "elf app arm64"),
	)
	r, source := counted(t, b)
	kept := map[v1.Hash]rootfs.LayerFacts{}
	result := inspected(t, r, deep.Options{Keep: func(f rootfs.LayerFacts) { kept[f.Digest] = f }})
	if len(source.requests) != 3 || result.Cost.Layers != 3 || len(kept) != 3 {
		t.Errorf("requested %v, cost %+v, kept %d; want 3 each", source.requests, result.Cost, len(kept))
	}
	source.requests = nil
	known := deep.Options{Known: func(digest v1.Hash) (rootfs.LayerFacts, bool) { f, ok := kept[digest]; return f, ok }}
	again := inspected(t, r, known)
	if len(source.requests) != 0 || again.Cost.Known != 3 || again.Cost.Bytes != 0 {
		t.Errorf("again: requested %v, cost %+v", source.requests, again.Cost)
	}
	if show(again) != show(result) {
		t.Errorf("known facts give\n%sreading gave\n%s", show(again), show(result))
	}
}

// Layers that were read before an interruption are kept.
func TestKeptWhenInterrupted(t *testing.T) {
	t.Parallel()
	r, source := counted(t, registrytest.Image(image(t, "linux/arm64", "elf bin/sh arm64", "--", "elf app arm64")))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	r.Images[0].Source = waiting{source, r.Images[0].Layers[1].Digest, func() { <-done; cancel() }}
	var kept []v1.Hash
	keep := func(f rootfs.LayerFacts) { kept = append(kept, f.Digest); close(done) }
	if _, err := deep.Inspect(ctx, r, deep.Options{Keep: keep}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(kept, []v1.Hash{r.Images[0].Layers[0].Digest}) {
		t.Errorf("kept %v", kept)
	}
}

// waiting calls a function before it fails to return one layer.
type waiting struct {
	registry.Source

	layer v1.Hash
	until func()
}

func (w waiting) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if d.Digest == w.layer {
		w.until()
		return nil, ctx.Err()
	}
	return w.Source.Blob(ctx, d)
}

// A layer whose bytes do not match its digests is a mismatch, and its facts are not kept.
func TestLyingLayer(t *testing.T) {
	t.Parallel()
	r, source := counted(t, registrytest.Image(image(t, "linux/arm64", "elf app arm64")))
	layer := r.Images[0].Layers[0].Digest
	source.lie[layer] = registrytest.Gzip(registrytest.LayerTar("elf app arm64", "plain more"))
	result := inspected(t, r, deep.Options{Keep: func(rootfs.LayerFacts) { t.Error("the facts are kept") }})
	// A source that does not verify is caught by the diffID.
	if result.Verdicts[0].State == inspect.BinariesOK {
		t.Errorf("it passes:\n%s", show(result))
	}
	lying := report(t, registrytest.Image(image(t, "linux/arm64", "elf app arm64")))
	lying.Images[0].ConfigBody = []byte(`{"rootfs":{"diff_ids":[]}}`)
	if result := inspected(t, lying, deep.Options{}); result.Verdicts[0].State != inspect.Mismatch {
		t.Errorf("a config without diffIDs:\n%s", show(result))
	}
	foreign := report(t, registrytest.Image(image(t, "linux/arm64", "elf app arm64")))
	foreign.Images[0].ConfigBody = []byte(`{"rootfs":{"diff_ids":["` + registrytest.Hash([]byte("x")).String() + `"]}}`)
	if result := inspected(t, foreign, deep.Options{}); result.Verdicts[0].State != inspect.Mismatch {
		t.Errorf("a config with another diffID:\n%s", show(result))
	}
}

// A missing layer is a mismatch. One that could not be fetched is unchecked and keeps its error.
func TestMissingLayer(t *testing.T) {
	t.Parallel()
	b := registrytest.Image(image(t, "linux/arm64", "elf bin/sh arm64", "--", "elf app arm64"))
	layer := b.Order[0].Digest
	r := report(t, b)
	r.Images[0].Source = b.Without(layer).Source()
	if result := inspected(t, r, deep.Options{}); result.Verdicts[0].State != inspect.Mismatch ||
		result.Findings[0].Layer != layer {
		t.Errorf("a missing layer:\n%s", show(result))
	}
	r.Images[0].Source = broken{b.Source()}
	result := inspected(t, r, deep.Options{})
	if f := result.Findings[0]; result.Verdicts[0].State != inspect.Unchecked ||
		!errors.Is(f.Err, registry.ErrUnavailable) {
		t.Errorf("a registry that is down:\n%s", show(result))
	}
	r.Images[0].Source = b.Without(layer).Source()
	if result := inspected(t, r, deep.Options{EntrypointOnly: true}); result.Verdicts[0].State != inspect.Partial {
		t.Errorf("a missing layer that is not needed:\n%s", show(result))
	}
}

// broken is a registry that is down.
type broken struct{ registry.Source }

func (broken) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	return nil, registry.ErrUnavailable
}

func TestOverKeepsWrongClaims(t *testing.T) {
	t.Parallel()
	lie := registrytest.Image(image(t, "linux/amd64", "elf app arm64"))
	arm64 := v1.Platform{OS: "linux", Architecture: "arm64"}
	r := report(t, registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: lie, Claim: &arm64}}}))
	claims := inspect.Check(r, inspect.CheckOptions{})
	all := inspected(t, r, deep.Options{}).Over(claims)
	if all[0].State != inspect.Mismatch || all[0].Message != claims[0].Message {
		t.Errorf("the finding about the claim became %+v", all[0])
	}
	if last := all[len(claims)]; last.State != inspect.Note || !strings.Contains(last.Message, "1 program read") {
		t.Errorf("the binaries agree with the list: %+v", last)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	r := run(t, image(t, "linux/arm64", "elf app arm64", "plain a", "plain b"),
		deep.Options{Limits: rootfs.Limits{Headers: 2}})
	if r.Verdicts[0].State != inspect.Unchecked || inspect.Failed(r.Findings) == nil {
		t.Errorf("over a limit:\n%s", show(r))
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var lines []string
	for n := range 50 {
		lines = append(lines, fmt.Sprintf("so lib%d.so amd64", n), fmt.Sprintf("elf bin%d amd64", n))
	}
	r := run(t, image(t, "linux/arm64", append(lines, "elf app arm64")...), deep.Options{})
	if n := len(r.Findings); n != 100 {
		t.Fatalf("%d findings, want 100", n)
	}
	short := deep.Summary(r.Findings)
	if len(short) != 8 || !strings.Contains(short[3].Message, "and 47 files more") {
		t.Errorf("%d findings:\n%s", len(short), show(deep.Result{Findings: short}))
	}
	if few := deep.Summary(r.Findings[:2]); len(few) != 2 {
		t.Errorf("the summary of 2 findings has %d", len(few))
	}
}
