package build

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"

	"mtool/inspect/platform"
	"mtool/registry"
)

func TestCachesOfSeveralPlatforms(t *testing.T) {
	t.Parallel()
	entry := func(kind, key, value string) client.CacheOptionsEntry {
		return client.CacheOptionsEntry{Type: kind, Attrs: map[string]string{key: value}}
	}
	to := []client.CacheOptionsEntry{
		entry("registry", "ref", "h:5000/c:v1"), entry("registry", "ref", "h:5000/c"),
		entry("local", "dest", "d"),
	}
	from := []client.CacheOptionsEntry{entry("registry", "ref", "h/c:v1"), entry("local", "src", "d")}
	p, err := platform.Parse("linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	perPlatform(to, p)
	perPlatform(from, p)
	got := []string{
		to[0].Attrs["ref"], to[1].Attrs["ref"], to[2].Attrs["dest"], from[0].Attrs["ref"],
		from[1].Attrs["src"],
	}
	if want := "h:5000/c:v1-armv7 h:5000/c:armv7 d/armv7 h/c:v1-armv7 d/armv7"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if left, err := existing(append(from, entry("local", "src", t.TempDir()))); len(left) != 1 || err != nil {
		t.Errorf("a directory without a cache is read: %v, %v", left, err)
	}
	pipe := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(pipe, "index.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if left, err := existing([]client.CacheOptionsEntry{entry("local", "src", pipe)}); !errors.Is(err,
		registry.ErrContent) {
		t.Errorf("a pipe is waited for: %v, %v", left, err)
	}
}

// In the cache of GitHub Actions, what two platforms write without a scope, and what one command writes for several
// platforms, must not share a scope.
func TestScopesOfCaches(t *testing.T) {
	t.Setenv("ACTIONS_CACHE_SERVICE_V2", "true")
	t.Setenv("ACTIONS_RESULTS_URL", "https://h/")
	t.Setenv("ACTIONS_RUNTIME_TOKEN", "secret")
	p, err := platform.Parse("linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cache, scope string
		several      bool
	}{
		{"type=gha", "buildkit-armv7", false},
		{"type=gha", "buildkit-armv7", true},
		{"type=gha,scope=main", "main", false},
		{"type=gha,scope=main", "main-armv7", true},
	} {
		x := SpecOptions{CacheFrom: []string{c.cache}, CacheTo: []string{c.cache}}
		imports, exports, err := parseCaches(x, p, c.several)
		if err != nil || len(imports) != 1 || len(exports) != 1 || imports[0].Attrs["scope"] != c.scope ||
			exports[0].Attrs["scope"] != c.scope || imports[0].Attrs["url_v2"] != "https://h/" {
			t.Errorf("%s: got %v, %v, %v; want %s", c.cache, imports, exports, err, c.scope)
		}
	}
	t.Setenv("ACTIONS_RUNTIME_TOKEN", "")
	if err := checkCaches(Spec{
		Platforms: []v1.Platform{p}, SpecOptions: SpecOptions{CacheFrom: []string{"type=gha"}},
	}); !errors.Is(err, registry.ErrUsage) {
		t.Errorf("a token that is none: got %v", err)
	}
}
