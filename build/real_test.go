package build_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/emulator"
	"mtool/inspect/platform"
	"mtool/registry"
)

const runApp = "FROM scratch\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\nRUN [\"/app\"]\n"

func native() v1.Platform {
	p := emulator.Detect().Platform
	return platform.Normalize(v1.Platform{OS: p.OS, Architecture: p.Architecture})
}

func TestForeignStepRuns(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit", "qemu")
	h, out := newHome(t), &bytes.Buffer{}
	spec := build.Spec{
		Context: contextDir(t, runApp, foreign()), Platforms: []v1.Platform{foreign()}, Name: named(t),
		Progress: "plain", Out: out,
		Labels: map[string]string{"a": "b"},
	}
	r, err := build.Run(t.Context(), spec, h.o)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := "app runs as " + foreign().Architecture; !strings.Contains(out.String(), want) {
		t.Errorf("the step did not print %q:\n%s", want, out)
	}
	if r.Images[0].Emulator == "" {
		t.Error("the result says that the image was built natively")
	}
	object, err := h.store.Get(t.Context(), ref(t, "demo:v1-"+platform.Suffix(foreign())))
	if err != nil || object.Root.Digest != r.Images[0].Manifest.Digest {
		t.Errorf("the store has %v, %v; want %v", object.Root.Digest, err, r.Images[0].Manifest.Digest)
	}
	again, err := build.Run(t.Context(), spec, h.o)
	if err != nil || again.Images[0].Manifest.Digest != r.Images[0].Manifest.Digest {
		t.Errorf("a cached build gave %v, %v", again, err)
	}
}

func TestSeveralPlatformsAtOnce(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit", "qemu")
	h, out := newHome(t), &bytes.Buffer{}
	both := []v1.Platform{native(), foreign()}
	r, err := build.Run(t.Context(), build.Spec{
		Context: contextDir(t, runApp, both...), Platforms: both, Name: named(t), Progress: "plain", Out: out,
	}, h.o)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, p := range both {
		if want := "[" + platform.Format(p) + "] [2/2] RUN"; !strings.Contains(out.String(), want) {
			t.Errorf("the progress lacks %q:\n%s", want, out)
		}
		if got := r.Images[i]; !platform.Equal(got.Platform, p) || (got.Emulator == "") != (i == 0) {
			t.Errorf("image %d is %+v, want %v", i, got, p)
		}
	}
}

func TestFailingStep(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit", "qemu")
	h, out := newHome(t), &bytes.Buffer{}
	both := []v1.Platform{native(), foreign()}
	text := "FROM scratch AS base\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\nFROM base AS amd64\nFROM base AS arm64\nRUN [\"/app\", \"fail\", \"first line\", \"last words\"]\nFROM $TARGETARCH\n"
	text = strings.ReplaceAll(strings.ReplaceAll(text, "AS amd64", "AS "+native().Architecture), "AS arm64",
		"AS "+foreign().Architecture)
	_, err := build.Run(t.Context(),
		build.Spec{Context: contextDir(t, text, both...), Platforms: both, Name: named(t), Progress: "quiet", Out: out}, h.o)
	var step *build.StepError
	if !errors.As(err, &step) {
		t.Fatalf("got %v, want a StepError", err)
	}
	if step.Exit != 7 || !platform.Equal(step.Platform, foreign()) || step.Emulator == "" ||
		!strings.Contains(step.Step, "fail") {
		t.Errorf("got %+v", step)
	}
	if !strings.Contains(err.Error(), "first line\n  last words") {
		t.Errorf("the error lacks the step's output: %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("quiet printed %q", out)
	}
	for _, p := range both {
		if _, err := h.store.Get(t.Context(), named(t)(p)); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("the store has %s: %v", platform.Format(p), err)
		}
	}
}

func TestBaseFromStore(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit", "qemu")
	h := newHome(t)
	dir := contextDir(t, "FROM scratch\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\n", foreign())
	run := func(text string, p v1.Platform, name string) error {
		write(t, filepath.Join(dir, "Dockerfile"), text)
		_, err := build.Run(t.Context(),
			build.Spec{Context: dir, Platforms: []v1.Platform{p}, Name: func(v1.Platform) registry.Ref { return ref(t, name) }},
			h.o)
		return err
	}
	if err := run("FROM scratch\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\n", foreign(), "base"); err != nil {
		t.Fatal(err)
	}
	if err := run("ARG TAG=latest\nFROM base:$TAG\nRUN [\"/app\"]\n", foreign(), "demo:v1"); err != nil {
		t.Errorf("building on the store's image: %v", err)
	}
	if err := run("FROM scratch\nCOPY --from=base /app /copied\n", foreign(), "demo:v2"); err != nil {
		t.Errorf("copying from the store's image: %v", err)
	}
	err := run("FROM base\nRUN [\"/app\"]\n", native(), "demo:v3")
	if !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), "store:docker.io/library/base:latest") {
		t.Errorf("building on an image of another platform: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(h.store.Dir(), "ingest")); len(left) > 0 {
		t.Errorf("BuildKit wrote into the store: %v", left)
	}
}

func TestSameEpochSameDigest(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	dir := contextDir(t, runApp, native())
	var digests []v1.Hash
	for range 2 {
		r, err := build.Run(t.Context(), build.Spec{
			Context: dir, Platforms: []v1.Platform{native()}, Name: named(t),
			BuildArgs: map[string]string{"SOURCE_DATE_EPOCH": "1700000000"},
		}, newHome(t).o)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, r.Images[0].Manifest.Digest)
	}
	if digests[0] != digests[1] {
		t.Errorf("two fresh builds gave %v", digests)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	h := newHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := &notifyWriter{word: "app runs", then: cancel}
	text := "FROM scratch\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\nRUN [\"/app\", \"sleep\"]\n"
	_, err := build.Run(ctx,
		build.Spec{
			Context: contextDir(t, text, native()), Platforms: []v1.Platform{native()}, Name: named(t),
			Progress: "plain", Out: out,
		}, h.o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled before the program ends by itself", err)
	}
}

// notifyWriter calls then when word has been written.
type notifyWriter struct {
	word string
	then func()
	all  []byte
}

func (w *notifyWriter) Write(p []byte) (int, error) {
	w.all = append(w.all, p...)
	if bytes.Contains(w.all, []byte(w.word)) {
		w.then()
	}
	return len(p), nil
}

func TestOneStateManyBuilds(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	h := newHome(t)
	h.o.Note = nil
	dir := contextDir(t, runApp, native())
	errs := make(chan error)
	for i := range 3 {
		go func() {
			name := ref(t, "demo:v"+string(rune('0'+i)))
			_, err := build.Run(t.Context(),
				build.Spec{Context: dir, Platforms: []v1.Platform{native()}, Name: func(v1.Platform) registry.Ref { return name }},
				h.o)
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// The worker is free while a build is being verified: a second build can run to its end.
func TestWorkerIsFreeWhileVerifying(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	h := newHome(t)
	spec := build.Spec{Context: contextDir(t, runApp, native()), Platforms: []v1.Platform{native()}, Name: named(t)}
	verified := false
	o := h.o
	o.Verify = func(ctx context.Context, _ v1.Platform, _ registry.Object) error {
		verified = true
		ctx, cancel := context.WithTimeout(ctx, 20*time.Minute) // it would wait forever if the worker were not free
		defer cancel()
		_, err := build.Run(ctx, spec, h.o)
		return err
	}
	if _, err := build.Run(t.Context(), spec, o); err != nil || !verified {
		t.Errorf("verified: %v, %v", verified, err)
	}
}
