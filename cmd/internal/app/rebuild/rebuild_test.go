package rebuild

import (
	"errors"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/inspect"
	"mtool/inspect/provenance"
	"mtool/registry"
)

// Anyone can write provenance: it names neither files of this machine nor more rights than the user gives.
func TestRequestOfStrangers(t *testing.T) {
	t.Parallel()
	image := inspect.Image{Config: v1.Platform{OS: "linux", Architecture: "arm64"}}
	for name, c := range map[string]struct {
		change func(*provenance.Recipe)
		want   error
	}{
		"honest":            {func(*provenance.Recipe) {}, nil},
		"a repository here": {func(r *provenance.Recipe) { r.Context = "file:///srv/secret.git#0123" }, registry.ErrNotFound},
		"a directory here":  {func(r *provenance.Recipe) { r.Context = "/etc" }, registry.ErrNotFound},
		"a named directory": {func(r *provenance.Recipe) { r.Args["context:x"] = "/etc" }, registry.ErrNotFound},
		"a named directory of the client": {
			func(r *provenance.Recipe) { r.Args["context:x"] = "local:context:x" }, registry.ErrNotFound,
		},
		"a file here":    {func(r *provenance.Recipe) { r.Dockerfile = "../../etc/passwd" }, registry.ErrContent},
		"an argument":    {func(r *provenance.Recipe) { r.Args["filename"] = "/etc/passwd" }, registry.ErrContent},
		"the network":    {func(r *provenance.Recipe) { r.Args["force-network-mode"] = "host" }, registry.ErrUsage},
		"a wrong number": {func(r *provenance.Recipe) { r.Args["shm-size"] = "big" }, registry.ErrContent},
	} {
		r := provenance.Recipe{Context: "https://example.com/a.git#0123", Args: map[string]string{"target": "a", "build-arg:A": "b"}}
		c.change(&r)
		b, err := Options{}.request(r, image)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == nil && (b.Target != "a" || b.BuildArgs["A"] != "b" || b.Context != r.Context) {
			t.Errorf("%s: %+v", name, b)
		}
	}
	r := provenance.Recipe{Context: "https://example.com/a.git#0123", Args: map[string]string{"force-network-mode": "host"}}
	allowed := Options{Execution: build.Execution{Allow: []string{build.AllowNetworkHost}}}
	if b, err := allowed.request(r, image); err != nil || b.Network != "host" {
		t.Error(b.Network, err)
	}
}

// A port is no tag.
func TestPinned(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"alpine:3.20":           "docker-image://alpine@sha256:a",
		"127.0.0.1:5000/a":      "docker-image://127.0.0.1:5000/a@sha256:a",
		"127.0.0.1:5000/a/b:v1": "docker-image://127.0.0.1:5000/a/b@sha256:a",
	} {
		if got := pinned(name, "sha256:a"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
