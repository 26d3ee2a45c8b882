package app_test

import (
	"context"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// labelled returns a list of two images with the label org.example.seed. Another seed gives another list.
func labelled(seed string) registrytest.Built {
	var images []registrytest.Built
	for _, arch := range []string{"amd64", "arm64"} {
		images = append(images, registrytest.Image(registrytest.ImageSpec{
			Platform: v1.Platform{OS: "linux", Architecture: arch}, Labels: map[string]string{"org.example.seed": seed},
			Seed: seed,
		}))
	}
	return registrytest.ListOf(images...)
}

func ref(t *testing.T, name string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The report has the configs, so that no config is fetched twice.
func TestConfigsAreReadOnce(t *testing.T) {
	t.Setenv("MTOOL_HOME", t.TempDir())
	env, err := app.NewEnv(app.EnvOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const root, platforms = 1, 2
	for _, tt := range []struct {
		name string
		do   func(ctx context.Context, host string) error
		want int
	}{
		{"diff", func(ctx context.Context, host string) error {
			d, err := env.Diff(ctx, ref(t, host+"/a:v1"), ref(t, host+"/b:v1"), "")
			if err == nil || d.Same() {
				t.Errorf("got %+v, %v, want a difference", d, err)
			}
			return nil
		}, 2 * (root + 2*platforms)},
		{"imagetools inspect", func(ctx context.Context, host string) error {
			tools, err := env.ImagetoolsInspect(ctx, ref(t, host+"/a:v1"), app.ImagetoolsParts{Configs: true})
			if len(tools.Configs) != platforms || !strings.Contains(string(tools.Configs["linux/arm64"]), `"arm64"`) {
				t.Errorf("got configs %q", tools.Configs)
			}
			return err
		}, root + 2*platforms},
		{"create --promote-labels", func(ctx context.Context, host string) error {
			_, err := env.Create(ctx, app.CreateOptions{
				List: ref(t, host+"/a:v2"), Sources: []registry.Ref{ref(t, host+"/a:v1")}, Push: true,
				EditOptions: app.EditOptions{PromoteLabels: true},
			})
			return err
		}, root + 2*platforms + 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := registrytest.New(t, registrytest.Options{})
			s.Load("a", "v1", labelled("a"))
			s.Load("b", "v1", labelled("b"))
			if err := tt.do(t.Context(), s.Host()); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, q := range s.Requests() {
				if seen[q] && strings.Contains(q, "/blobs/") {
					t.Errorf("asked for twice: %s", q)
				}
				seen[q] = true
			}
			if got := len(s.Requests()); got != tt.want {
				t.Errorf("got %d requests, want %d:\n%s", got, tt.want, strings.Join(s.Requests(), "\n"))
			}
		})
	}
}
