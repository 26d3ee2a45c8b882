package inspect_test

import (
	"testing"

	"mtool/inspect"
	"mtool/registry/registrytest"
)

// A base that two machines share is a note; one that two variants of a machine share is not.
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
		"machines share":   {[]registrytest.Entry{on("linux/amd64", "base", "a"), on("linux/arm64", "base", "b")}, true},
		"variants share":   {[]registrytest.Entry{on("linux/arm/v6", "base", "a"), on("linux/arm/v7", "base", "b")}, false},
		"packed otherwise": {[]registrytest.Entry{on("linux/amd64", "base", "a"), packed("linux/arm64", "base", "b")}, true},
		"own, packed": {
			[]registrytest.Entry{on("linux/amd64", "base", "a"), packed("linux/arm64", "other", "b")},
			false,
		},
		"own bases":        {[]registrytest.Entry{on("linux/amd64", "base", "a"), on("linux/arm64", "other", "b")}, false},
		"share everything": {[]registrytest.Entry{on("linux/amd64", "base", "a"), on("linux/arm64", "base", "a")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings := inspect.Check(readBuilt(t, list(c.entries...)), inspect.CheckOptions{})
			if has(findings, inspect.Note, note) != c.want {
				t.Errorf("want the note: %v:\n%s", c.want, show(findings))
			}
			if inspect.Failed(findings) != nil {
				t.Errorf("it fails:\n%s", show(findings))
			}
		})
	}
}
