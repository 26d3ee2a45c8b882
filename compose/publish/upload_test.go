package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func upload(t *testing.T, l compose.List, targets ...string) compose.Upload {
	t.Helper()
	return plan(t, l, targets...).Uploads[0]
}

func TestPublishBottomUp(t *testing.T) {
	t.Parallel()
	x := newTarget()
	u := upload(t, two(t, "demo:v1"), "s.example/demo:v1", "s.example/demo:latest")
	r, err := publish.Upload(t.Context(), u, x, publish.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := x.kinds(), "head head blob blob blob blob manifest manifest tag tag"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !r.Changed || r.Copied != 4 || r.Bytes == 0 || fmt.Sprint(r.Tags) != "[v1 latest]" || r.Digest != u.Root.Digest {
		t.Errorf("got %+v", r)
	}
	if u.Ref().String() != "s.example/demo@"+u.Root.Digest.String() {
		t.Errorf("got %s", u.Ref())
	}
}

func TestPublishNestedBottomUp(t *testing.T) {
	t.Parallel()
	inner := registrytest.ListOf(image("arm64"))
	nested := registrytest.ListOf(image("amd64"), registrytest.ListOf(inner, image("s390x")), inner)
	p, err := compose.PlanOf(read(t, nested, "store:demo:v1"), refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	x := newTarget()
	if _, err := publish.Upload(t.Context(), p.Uploads[0], x, publish.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	if x.tags["v1"].Digest != nested.Digest() {
		t.Errorf("got %s, want the unchanged list", x.tags["v1"].Digest)
	}
}

// Copying a list as it is keeps all attestations, also one whose image is missing.
func TestPublishKeepsAttestations(t *testing.T) {
	t.Parallel()
	b := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: attested(image("amd64"))}, registrytest.Attestation(image("s390x").Manifest),
	}})
	p, err := compose.PlanOf(read(t, b, "store:demo:v1"), refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Upload(t.Context(), p.Uploads[0], newTarget(), publish.UploadOptions{}); err != nil {
		t.Error(err)
	}
}

func TestPublishUnchanged(t *testing.T) {
	t.Parallel()
	x := newTarget()
	u := upload(t, two(t, "demo:v1"), "s.example/demo:v1", "s.example/demo:latest")
	x.tags["v1"] = u.Root
	r, err := publish.Upload(t.Context(), u, x, publish.UploadOptions{})
	if err == nil || x.kinds() != "head head tag" {
		// The fake has no children and so refuses the list. This test is about the calls before.
		t.Errorf("got %q, %v, want only the other tag written", x.kinds(), err)
	}
	if len(r.Tags) != 0 {
		t.Errorf("got tags %v from a failed upload", r.Tags)
	}

	x = newTarget()
	x.tags["v1"], x.tags["latest"] = u.Root, u.Root
	r, err = publish.Upload(t.Context(), u, x, publish.UploadOptions{})
	if err != nil || r.Changed || x.kinds() != "head head" {
		t.Errorf("got %+v, %q, %v, want no upload", r, x.kinds(), err)
	}
	x.log = nil
	existing := map[string]v1.Descriptor{"v1": u.Root.Descriptor(), "latest": u.Root.Descriptor()}
	if r, err = publish.Upload(t.Context(), u, x, publish.UploadOptions{Existing: existing}); err != nil || r.Changed ||
		x.kinds() != "" {
		t.Errorf("got %+v, %q, %v, want no call at all", r, x.kinds(), err)
	}
	if r, err = publish.Upload(t.Context(), u, x, publish.UploadOptions{Force: true}); err != nil || !r.Changed ||
		r.Copied != 4 {
		t.Errorf("got %+v, %v, want all blobs uploaded again", r, err)
	}
}

// If any call fails, no tag is written.
func TestPublishFails(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	u := upload(t, two(t, "demo:v1"), "s.example/demo:v1")
	for _, kind := range []string{"head", "blob", "manifest", "tag"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			x := newTarget()
			x.fault = func(e string) error {
				if strings.HasPrefix(e, kind) {
					return boom
				}
				return nil
			}
			r, err := publish.Upload(t.Context(), u, x, publish.UploadOptions{})
			wantError(t, err, boom, u.Ref().String())
			if len(x.tags) > 0 || len(r.Tags) > 0 {
				t.Errorf("tags %v, %v were written", x.tags, r.Tags)
			}
		})
	}
}

func TestPublishCancelsTheRest(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	u := upload(t, list(t, "demo:v1", sourceOf(t, image("amd64"), "demo:a"), sourceOf(t, image("arm64"), "demo:b"),
		sourceOf(t, image("s390x"), "demo:c"), sourceOf(t, image("386"), "demo:d")), "s.example/demo:v1")
	x := newTarget()
	var seen atomic.Int32
	x.fault = func(e string) error {
		if strings.HasPrefix(e, "blob") && seen.Add(1) == 2 {
			return boom
		}
		return nil
	}
	_, err := publish.Upload(t.Context(), u, x, publish.UploadOptions{Concurrency: 1})
	wantError(t, err, boom)
	if n := strings.Count(x.kinds(), "blob"); n >= len(u.Blobs) {
		t.Errorf("%d of %d blobs were put after the fault", n, len(u.Blobs))
	}
	x = newTarget()
	x.hang, x.fault = true, func(e string) error {
		if strings.HasSuffix(e, u.Blobs[3].Descriptor.Digest.String()) {
			return boom
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // expires if the other blobs are not cancelled
	defer cancel()
	_, err = publish.Upload(ctx, u, x, publish.UploadOptions{})
	wantError(t, err, boom)
	if ctx.Err() != nil {
		t.Error("running uploads of blobs were not cancelled")
	}
	cancel()
	_, err = publish.Upload(ctx, u, newTarget(), publish.UploadOptions{})
	wantError(t, err, context.Canceled)
}

func TestPublishGuardsTheBase(t *testing.T) {
	t.Parallel()
	b := registrytest.ListOf(image("amd64"), image("arm64"))
	l, _, err := compose.FromPublished(read(t, b, "s.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if l, _, err = l.AnnotateList(compose.Edit{Annotations: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	u := upload(t, l, "s.example/demo:v1")
	if len(u.Blobs)+len(u.Children) != 0 {
		t.Fatalf("got %d blobs and %d children, want only the tag", len(u.Blobs), len(u.Children))
	}
	other := image("s390x").Manifest
	tests := []struct {
		name string
		tag  *registry.Manifest
		err  error
	}{
		{"as it was", &b.Manifest, nil},
		{"moved", &other, compose.ErrMoved},
		{"gone", nil, compose.ErrMoved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newTarget()
			for _, r := range rows(t, b.Manifest) {
				x.have[r.Digest] = true
			}
			if tt.tag != nil {
				x.tags["v1"] = *tt.tag
			}
			// Existing says that the tag was the base at first, so it moves during the upload.
			_, err := publish.Upload(t.Context(), u, x,
				publish.UploadOptions{Existing: map[string]v1.Descriptor{"v1": b.Manifest.Descriptor()}})
			if tt.err == nil {
				if err != nil || x.kinds() != "head tag" {
					t.Errorf("got %q, %v", x.kinds(), err)
				}
				return
			}
			wantError(t, err, tt.err, b.Digest().String())
			wantError(t, err, registry.ErrConflict)
			if strings.Contains(x.kinds(), "tag") {
				t.Error("the tag was written")
			}
		})
	}
}

// A tag is written only if it still has the digest that the guards saw. A new tag that may move needs no condition, nor
// does force.
func TestPublishConditions(t *testing.T) {
	t.Parallel()
	existing := image("s390x").Manifest
	for name, tt := range map[string]struct {
		before      *registry.Manifest
		fixed       bool
		force       bool
		conditional bool
	}{
		"exists":                {before: &existing, conditional: true},
		"exists, by force":      {before: &existing, force: true},
		"new":                   {},
		"new, and may not move": {fixed: true, conditional: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := upload(t, two(t, "demo:v1"), "s.example/demo:v1")
			u.Tags[0].Fixed = tt.fixed
			x := newTarget()
			if tt.before != nil {
				x.tags["v1"] = *tt.before
			}
			if _, err := publish.Upload(t.Context(), u, x, publish.UploadOptions{Force: tt.force}); err != nil {
				t.Fatal(err)
			}
			if x.tags["v1"].Digest != u.Root.Digest || (len(x.conditions) > 0) != tt.conditional {
				t.Errorf("the tag is %s, tags written on a condition: %q", x.tags["v1"].Digest, x.conditions)
			}
		})
	}
}

func TestPublishNeverReplacesList(t *testing.T) {
	t.Parallel()
	p, err := compose.PlanOf(read(t, image("amd64"), "store:demo:amd"), refs(t, "s.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	u := p.Uploads[0]
	x := newTarget()
	x.tags["v1"] = registrytest.ListOf(image("arm64")).Manifest
	_, err = publish.Upload(t.Context(), u, x, publish.UploadOptions{})
	wantError(t, err, publish.ErrOverwrite, "s.example/demo:v1", x.tags["v1"].Digest.String())
	wantError(t, err, registry.ErrConflict)
	if strings.Contains(x.kinds(), "blob") {
		t.Error("blobs were uploaded")
	}
	if _, err = publish.Upload(t.Context(), u, x, publish.UploadOptions{Force: true}); err != nil ||
		x.tags["v1"].Digest != u.Root.Digest {
		t.Errorf("by force: got %v, %v", x.tags, err)
	}
	x.tags["v1"] = image("arm64").Manifest
	if _, err = publish.Upload(t.Context(), u, x, publish.UploadOptions{}); err != nil {
		t.Errorf("replacing an image by an image: %v", err)
	}
}

func TestPublishByDigest(t *testing.T) {
	t.Parallel()
	l := two(t, "demo:v1")
	x := newTarget()
	u := upload(t, l, "s.example/demo@"+encode(t, l).Digest.String())
	r, err := publish.Upload(t.Context(), u, x, publish.UploadOptions{})
	if err != nil || !r.Changed || len(x.tags) != 0 || !strings.HasSuffix(x.kinds(), "manifest manifest manifest") {
		t.Errorf("got %+v, %q, %v", r, x.kinds(), err)
	}
}

func TestPublishReportsRefusedMounts(t *testing.T) {
	t.Parallel()
	var notes []string
	o := publish.UploadOptions{Note: func(s string) { notes = append(notes, s) }}
	u := upload(t, two(t, "demo:v1"), "r.example/demo:v1")
	if _, err := publish.Upload(t.Context(), u, newTarget(), o); err != nil || len(notes) != 1 ||
		!strings.Contains(notes[0], "4 of 4 blobs") {
		t.Errorf("got notes %q, %v", notes, err)
	}
	notes = nil
	x := newTarget()
	x.moved = registry.Mounted
	if r, err := publish.Upload(t.Context(), u, x, o); err != nil || len(notes) != 0 || r.Mounted != 4 || r.Bytes != 0 {
		t.Errorf("got %+v, notes %q, %v", r, notes, err)
	}
}

// readable is a target with a Source, like a registry.
type readable struct {
	*target
	registry.Source
}

func (r readable) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	if err := r.event(ctx, "read", d.Digest); err != nil {
		return registry.Manifest{}, err
	}
	return registry.Manifest{}, nil
}

func TestPublishConfirms(t *testing.T) {
	t.Parallel()
	u := upload(t, two(t, "demo:v1"), "s.example/demo:v1")
	x := newTarget()
	if _, err := publish.Upload(t.Context(), u, readable{target: x}, publish.UploadOptions{Confirm: true}); err != nil {
		t.Fatal(err)
	}
	if want := "manifest manifest read read tag head"; !strings.HasSuffix(x.kinds(), want) {
		t.Errorf("got %q, want it to end in %q", x.kinds(), want)
	}
	x = newTarget()
	x.fault = func(e string) error {
		if strings.HasPrefix(e, "read") {
			return registry.ErrNotFound
		}
		return nil
	}
	_, err := publish.Upload(t.Context(), u, readable{target: x}, publish.UploadOptions{Confirm: true})
	wantError(t, err, registry.ErrNotFound, "confirming linux/")
	if len(x.tags) != 0 {
		t.Error("the tag was written")
	}
	x = newTarget()
	heads := 0
	x.fault = func(e string) error {
		if strings.HasPrefix(e, "head") {
			if heads++; heads == 2 {
				// a push by another client
				x.tags["v1"] = registry.Manifest{Digest: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}}
			}
		}
		return nil
	}
	_, err = publish.Upload(t.Context(), u, readable{target: x}, publish.UploadOptions{Confirm: true})
	wantError(t, err, compose.ErrMoved, "confirming tag")
	_, err = publish.Upload(t.Context(), u, newTarget(), publish.UploadOptions{Confirm: true})
	wantError(t, err, compose.ErrTarget)
}
