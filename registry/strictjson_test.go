package registry_test

import (
	"errors"
	"strings"
	"testing"

	"mtool/registry"
)

// A document that readers understand differently is refused, and its honest twin is accepted.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		check      func([]byte) error
		liar, twin string
	}{
		"twice":      {registry.CheckManifest, `{"manifests":[],"manifests":[]}`, `{"manifests":[]}`},
		"other case": {registry.CheckManifest, `{"Manifests":[]}`, `{"manifests":[]}`},
		"both cases": {registry.CheckManifest, `{"layers":[],"LAYERS":[]}`, `{"layers":[],"x":1}`},
		"folded s":   {registry.CheckManifest, `{"manifeſts":[]}`, `{"manifes":[]}`},
		"escaped":    {registry.CheckManifest, `{"config":{},"\u0063onfig":{}}`, `{"config":{},"\u0063onfi":{}}`},
		"row": {
			registry.CheckManifest, `{"manifests":[{"digest":"a","digest":"b"}]}`,
			`{"manifests":[{"digest":"a"},{"digest":"b"}]}`,
		},
		"platform": {
			registry.CheckManifest, `{"manifests":[{"platform":{"OS":"linux"}}]}`,
			`{"manifests":[{"platform":{"os":"linux"}}]}`,
		},
		"layer": {
			registry.CheckManifest, `{"layers":[{"digest":"a","Digest":"b"}]}`,
			`{"layers":[{"digest":"a","digests":"b"}]}`,
		},
		"annotation": {
			registry.CheckManifest, `{"annotations":{"a":"1","a":"2"}}`,
			`{"annotations":{"a":"1","A":"2","Config":"3"}}`,
		},
		"unknown member": {registry.CheckManifest, `{"x":1,"x":2}`, `{"x":1,"X":2}`},
		"deep": {
			registry.CheckManifest, `{"x":[[{"y":{"z":1,"z":"\"z\":}"}}]]}`,
			`{"x":[[{"y":{"z":"\"z\":}{\\"}}]]}`,
		},
		"descriptor": {registry.CheckDescriptor, `{"size":1,"Size":2}`, `{"size":1}`},
		"architecture": {
			registry.CheckConfig, `{"architecture":"amd64","Architecture":"arm64"}`,
			`{"architecture":"amd64","author":"x"}`,
		},
		"diff_ids": {registry.CheckConfig, `{"rootfs":{"diff_ids":[],"Diff_IDs":[]}}`, `{"rootfs":{"diff_ids":[]}}`},
		"entrypoint": {
			registry.CheckConfig, `{"config":{"Entrypoint":["a"],"entrypoint":["b"]}}`,
			`{"config":{"entrypoint":["b"]}}`,
		},
		"label": {
			registry.CheckConfig, `{"config":{"Labels":{"a":"1","a":"2"}}}`,
			`{"config":{"Labels":{"a":"1","A":"2"}}}`,
		},
		"Docker archive": {registry.CheckDockerArchive, `[{"Config":"a","config":"b"}]`, `[{"Config":"a"},{"Config":"b"}]`},
		"trailing data":  {registry.CheckManifest, `{"config":{}}{}`, ` {"config":{}} `},
		"not JSON":       {registry.CheckManifest, `{"config":`, `null`},
		"subject":        {registry.CheckManifest, `{"subject":{"Digest":"x"}}`, `{"subject":{"digest":"x"},"Digest":"x"}`},
	} {
		if err := c.check([]byte(c.liar)); !errors.Is(err, registry.ErrContent) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %s: got %v, want ErrContent", name, c.liar, err)
		}
		if err := c.check([]byte(c.twin)); err != nil {
			t.Errorf("%s: the twin %s: %v", name, c.twin, err)
		}
	}
	if err := registry.CheckManifest([]byte("x")); !errors.Is(err, registry.ErrNotJSON) {
		t.Errorf("not JSON: got %v, want ErrNotJSON", err)
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\\\"",null,{"b":-1e5}]}`, `[]`, `""`, `{"a":{"a":true}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := registry.CheckManifest(data); err != nil && !errors.Is(err, registry.ErrContent) {
			t.Error(err)
		}
	})
}
