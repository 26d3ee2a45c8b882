package inspect_test

import (
	"testing"

	"mtool/inspect"
	"mtool/registry/registrytest"
)

// If two architectures share a base, that is a note; if two variants of one architecture do, it is not.
func TestSharedBase(t *testing.T) {
	t.Parallel()
	const note = "share their lowest layer"
	on := func(name, base, app string) registrytest.Entry {
		return entry(registrytest.Image(registrytest.ImageSpec{
			Platform: plat(name), Files: [][]string{{"plain " + base}, {"plain " + app}}, Entrypoint: []string{"/app"},
		}))
	}
	packed := func(name, base, app string) registrytest.Entry {
		return entry(registrytest.Image(registrytest.ImageSpec{
			Platform: plat(name), Files: [][]string{{"plain " + base}, {"plain " + app}}, Entrypoint: []string{"/app"},
			Packing: "zstd",
		}))
	}
	for name, c := range map[string]struct {
		entries []registrytest.Entry
		want    bool
	}{
		"shared by architectures":        {[]registrytest.Entry{on("linux/amd64", "base", "a"), on("linux/arm64", "base", "b")}, true},
		"shared by variants":             {[]registrytest.Entry{on("linux/arm/v6", "base", "a"), on("linux/arm/v7", "base", "b")}, false},
		"shared, compressed differently": {[]registrytest.Entry{on("linux/amd64", "base", "a"), packed("linux/arm64", "base", "b")}, true},
		"different, compressed differently": {
			[]registrytest.Entry{on("linux/amd64", "base", "a"), packed("linux/arm64", "other", "b")},
			false,
		},
		"different bases":   {[]registrytest.Entry{on("linux/amd64", "base", "a"), on("linux/arm64", "other", "b")}, false},
		"all layers shared": {[]registrytest.Entry{on("linux/amd64", "base", "a"), on("linux/arm64", "base", "a")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings := inspect.Check(readBuilt(t, list(c.entries...)), inspect.CheckOptions{})
			if has(findings, inspect.Note, note) != c.want {
				t.Errorf("want the note: %v:\n%s", c.want, show(findings))
			}
			if inspect.Failed(findings) != nil {
				t.Errorf("the check fails:\n%s", show(findings))
			}
		})
	}
}
