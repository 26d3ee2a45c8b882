package inspect_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// plat parses a platform. It only splits an unknown one, for liars.
func plat(s string) v1.Platform {
	if p, err := platform.Parse(s); err == nil {
		return p
	}
	parts := strings.Split(s+"//", "/")
	return v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
}

func claim(s string) *v1.Platform {
	p := plat(s)
	return &p
}

// image returns an honest image.
func image(s string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: plat(s)})
}

// seeded returns an image with other bytes for each seed.
func seeded(s, seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: plat(s), Seed: seed})
}

func entry(b registrytest.Built) registrytest.Entry { return registrytest.Entry{Built: b} }

func list(entries ...registrytest.Entry) registrytest.Built {
	return registrytest.List(registrytest.ListSpec{Entries: entries})
}

func registryRef() registry.Ref {
	return registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}
}

func read(t *testing.T, obj registry.Object) inspect.Report {
	t.Helper()
	r, err := inspect.Read(t.Context(), obj)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readBuilt(t *testing.T, b registrytest.Built) inspect.Report {
	t.Helper()
	return read(t, b.Object(registryRef()))
}

// source counts the requests to another source and answers some of them itself.
type source struct {
	registry.Source
	fail map[v1.Hash]error             // instead of the content
	lies map[v1.Hash]registry.Manifest // instead of the manifest
	blob func() io.Reader              // instead of every blob

	mu       sync.Mutex
	requests map[v1.Hash]int
}

func (s *source) count(d v1.Descriptor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests == nil {
		s.requests = map[v1.Hash]int{}
	}
	s.requests[d.Digest]++
	return s.fail[d.Digest]
}

func (s *source) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	if err := s.count(d); err != nil {
		return registry.Manifest{}, err
	}
	if m, ok := s.lies[d.Digest]; ok {
		return m, nil
	}
	return s.Source.Manifest(ctx, d)
}

func (s *source) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if err := s.count(d); err != nil {
		return nil, err
	}
	if s.blob != nil {
		return io.NopCloser(s.blob()), nil
	}
	return s.Source.Blob(ctx, d)
}

// failing returns b with one digest that fails with err.
func failing(b registrytest.Built, digest v1.Hash, err error) registry.Object {
	obj := b.Object(registryRef())
	obj.Source = &source{Source: obj.Source, fail: map[v1.Hash]error{digest: err}}
	return obj
}

// manifestOf returns a manifest of these bytes and this type, even if they are invalid.
func manifestOf(mediaType types.MediaType, body string) registry.Manifest {
	return registry.Manifest{MediaType: mediaType, Digest: registrytest.Hash([]byte(body)), Body: []byte(body)}
}

func wantIs(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("error is %v, want one that wraps %q", err, kind)
	}
}

func wantText(t *testing.T, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("got %q, want it to contain %q", got, want)
	}
}
