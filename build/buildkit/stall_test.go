package buildkit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// A registry, or its token server, that stands still while the worker itself asks: it asks again, and a build that can't go on
// ends and says who it was.
func TestBaseThatStandsStill(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	stall := &registrytest.Twist{Stall: true}
	for name, f := range map[string]registrytest.Fault{
		"looking it up":  {Method: "HEAD", Path: "/manifests/", Hang: true},
		"for a token":    {Path: "/token", Hang: true},
		"for a manifest": {Method: "GET", Path: "/manifests/", Hang: true},
		"in a manifest":  {Method: "GET", Path: "/manifests/", Twist: stall},
		"for a blob":     {Method: "GET", Path: "/blobs/", Hang: true},
		"in a blob":      {Method: "GET", Path: "/blobs/", Twist: stall},
	} {
		t.Run(name+", once", func(t *testing.T) {
			t.Parallel()
			f.Times = 1
			if s, out, err := buildOnStalled(t, f); err != nil || s.Struck() != 1 {
				t.Errorf("got error %v after %d faults of 1:\n%s", err, s.Struck(), out)
			}
		})
		t.Run(name+", for good", func(t *testing.T) {
			t.Parallel()
			f.Times = -1
			s, out, err := buildOnStalled(t, f)
			if !errors.Is(err, registry.ErrUnavailable) {
				t.Fatalf("got error %v, want one that wraps ErrUnavailable:\n%s", err, out)
			}
			for _, want := range []string{s.Host() + "/base", "nothing moved for 400ms"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

// buildOnStalled builds on a base image that the worker has to ask for, with a limit of its silence that is shorter than all of
// its attempts.
func buildOnStalled(t *testing.T, f registrytest.Fault) (*registrytest.Server, string, error) {
	t.Helper()
	s := registrytest.New(t, registrytest.Options{Token: true})
	s.Load("base", "v1", registrytest.Image(registrytest.ImageSpec{Platform: native(), Layers: 2}))
	s.Fault(f)
	h, out := newHome(t), &bytes.Buffer{}
	h.o.Client, h.o.Registries.Idle = nil, 400*time.Millisecond
	spec := build.Spec{Context: contextDir(t, "FROM "+s.Host()+"/base:v1\nLABEL a=b\n"), Platforms: []v1.Platform{native()}, Name: named(t), Progress: "plain", Out: out}
	spec.IdleTimeout = time.Second
	_, err := build.Run(t.Context(), spec, h.o)
	return s, out.String(), err
}
