package source_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
	"mtool/registry/source"
	"mtool/registry/store"
)

func image(seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Seed:     seed,
	})
}

func parse(t *testing.T, s string) registry.Ref {
	t.Helper()
	ref, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// fixture is an opener for a store and a registry.
type fixture struct {
	source.Opener
	server *registrytest.Server
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	return fixture{
		source.Opener{
			Store:  store.Open(t.TempDir()),
			Client: remote.NewClient(remote.Options{Pause: time.Millisecond}),
		},
		registrytest.New(t, registrytest.Options{}),
	}
}

// local puts an image into the store.
func (h fixture) local(t *testing.T, name string, b registrytest.Built) {
	t.Helper()
	ref := parse(t, "store:"+name)
	w := h.Store.Writer(ref)
	if err := errors.Join(b.Push(t.Context(), w, ref.Tag), w.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenOrder(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	host := h.server.Host() + "/"
	both, bothLocal, remote, local := image("remote both"), image("local both"), image("remote"), image("local")
	h.server.Load("both", "v1", both)
	h.server.Load("remote", "v1", remote)
	h.local(t, host+"both:v1", bothLocal)
	h.local(t, host+"local:v1", local)
	h.local(t, "word:v1", local)
	for _, tt := range []struct {
		name string
		opt  source.Options
		want registrytest.Built // zero: not found
		at   registry.Transport
	}{
		{host + "both:v1", source.Options{}, bothLocal, registry.TransportStore},
		{host + "both:v1", source.Options{Order: source.RegistryFirst}, both, registry.TransportRegistry},
		{host + "both:v1", source.Options{From: source.FromRegistry}, both, registry.TransportRegistry},
		{
			host + "both:v1",
			source.Options{Order: source.RegistryFirst, From: source.FromStore},
			bothLocal,
			registry.TransportStore,
		},
		{"docker://" + host + "both:v1", source.Options{}, both, registry.TransportRegistry},
		{"store:" + host + "both:v1", source.Options{Order: source.RegistryFirst}, bothLocal, registry.TransportStore},
		{host + "remote:v1", source.Options{}, remote, registry.TransportRegistry},
		{host + "remote@" + remote.Digest().String(), source.Options{}, remote, registry.TransportRegistry},
		{host + "remote:v1", source.Options{From: source.FromStore}, registrytest.Built{}, ""},
		{"store:" + host + "remote:v1", source.Options{}, registrytest.Built{}, ""},
		{host + "local:v1", source.Options{}, local, registry.TransportStore},
		{host + "local:v1", source.Options{Order: source.RegistryFirst}, registrytest.Built{}, ""},
		{"word:v1", source.Options{}, local, registry.TransportStore},
		{"word:v1", source.Options{Order: source.RegistryFirst}, local, registry.TransportStore},
	} {
		o, err := h.Open(t.Context(), parse(t, tt.name), tt.opt)
		if tt.at == "" {
			if !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%q %+v: %v, want ErrNotFound", tt.name, tt.opt, err)
			}
			continue
		}
		if err != nil || o.Root.Digest != tt.want.Digest() || o.Ref.Transport != tt.at {
			t.Errorf("%q %+v: %s in %s, %v; want %s in %s", tt.name, tt.opt, o.Root.Digest, o.Ref.Transport, err,
				tt.want.Digest(), tt.at)
			continue
		}
		if _, err := o.Source.Blob(t.Context(), tt.want.Order[0]); err != nil {
			t.Errorf("%q: reading from its source: %v", tt.name, err)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	name := h.server.Host() + "/demo:"
	local, remote := image("local"), image("remote")
	h.server.Load("demo", "differs", remote)
	h.server.Load("demo", "same", local)
	for _, tag := range []string{"differs", "same", "only-here"} {
		h.local(t, name+tag, local)
	}
	for _, tt := range []struct {
		tag   string
		order source.Order
		other v1.Hash
	}{
		{"differs", source.LocalFirst, remote.Digest()},
		{"differs", source.RegistryFirst, local.Digest()},
		{"same", source.LocalFirst, v1.Hash{}},
		{"only-here", source.LocalFirst, v1.Hash{}},
	} {
		o, err := h.Open(t.Context(), parse(t, name+tt.tag), source.Options{Order: tt.order, Compare: true})
		if err != nil || o.Other != tt.other {
			t.Errorf("%s %d: other %s, %v; want %s", tt.tag, tt.order, o.Other, err, tt.other)
		}
	}
	h.server.Forget()
	if _, err := h.Open(t.Context(), parse(t, name+"differs"), source.Options{}); err != nil ||
		len(h.server.Requests()) != 0 {
		t.Errorf("a local name without Compare: got requests %v, %v", h.server.Requests(), err)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	host := h.server.Host() + "/"
	dir := h.Store.Dir()
	h.server.Fault(registrytest.Fault{Status: 403, Times: -1, Path: "/forbidden/", Code: "DENIED"})
	tests := []struct {
		name  string
		opt   source.Options
		kind  error
		words []string
	}{
		{
			"demo:v1-arm64",
			source.Options{},
			source.ErrNotBuilt,
			[]string{`"demo:v1-arm64"`, "store:docker.io/library/demo:v1-arm64", dir},
		},
		{
			"demo:v1",
			source.Options{From: source.FromStore},
			registry.ErrNotFound,
			[]string{"store:docker.io/library/demo:v1"},
		},
		{
			host + "a:v1",
			source.Options{},
			registry.ErrNotFound,
			[]string{"store:" + host + "a:v1", dir, ", not in " + host + "a:v1"},
		},
		{host + "a:v1", source.Options{Order: source.RegistryFirst}, registry.ErrNotFound, []string{host + "a:v1"}},
		{host + "forbidden:v1", source.Options{}, registry.ErrDenied, []string{"not in store:" + host + "forbidden:v1"}},
		{"demo:v1", source.Options{From: "cloud"}, registry.ErrName, []string{`"cloud"`, "store", "registry"}},
		{"draft:demo:v1", source.Options{}, registry.ErrName, []string{"draft"}},
		{"oci:" + dir + "/missing", source.Options{}, registry.ErrNotFound, []string{dir + "/missing"}},
	}
	for _, tt := range tests {
		_, err := h.Open(t.Context(), parse(t, tt.name), tt.opt)
		if !errors.Is(err, tt.kind) {
			t.Errorf("%q: %v, want %v", tt.name, err, tt.kind)
			continue
		}
		for _, part := range tt.words {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v\ndoes not contain %q", tt.name, err, part)
			}
		}
	}
	if n := h.server.Count("/a/manifests/"); n != 2 {
		t.Errorf("got %d requests for a missing name, want 2", n)
	}
}

// If the store's image is damaged, the lookup does not go on to the registry, which may have another image of the name.
func TestDamagedStoreIsAnError(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.server.Load("demo", "v1", image("remote"))
	b := image("local")
	h.local(t, h.server.Host()+"/demo:v1", b)
	damage(t, h.Store.Dir(), b.Digest())
	if o, err := h.Open(t.Context(), parse(t, h.server.Host()+"/demo:v1"), source.Options{}); !errors.Is(err,
		registry.ErrContent) {
		t.Errorf("got %s, %v; want ErrContent", o.Root.Digest, err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	name, b := "oci-archive:"+t.TempDir()+"/a.tar", image("1")
	w, err := archive.Create(parse(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Push(t.Context(), w, "v1"), w.Close()); err != nil {
		t.Fatal(err)
	}
	o, err := source.Opener{}.Open(t.Context(), parse(t, name+":v1"), source.Options{})
	if err != nil || o.Root.Digest != b.Digest() {
		t.Fatalf("%s, %v", o.Root.Digest, err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if _, err := (source.Opener{}).Open(t.Context(), parse(t, "demo/x:v1"), source.Options{}); !errors.Is(err,
		registry.ErrNotFound) {
		t.Errorf("an opener without a store or a client: %v", err)
	}
}
