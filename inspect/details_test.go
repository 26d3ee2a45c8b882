package inspect_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	const name, digest = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
	row := v1.Descriptor{Annotations: map[string]string{name: "row"}}
	manifest := registry.Manifest{
		Body: []byte(`{"annotations":{"` + name + `":"manifest\u001b","` + digest + `":"sha256:1"}}`),
	}
	config := []byte(`{"created":"2024-05-06T07:08:09Z","config":{"Labels":{"` + name + `":"label"}}}`)
	for want, image := range map[inspect.Base]inspect.Image{
		{Name: "manifest?", Digest: "sha256:1"}: {Descriptor: row, Manifest: manifest, ConfigBody: config},
		{Name: "row"}: {
			Descriptor: row,
			Manifest:   registry.Manifest{Body: []byte(`{"annotations":[]}`)}, ConfigBody: config,
		},
		{Name: "label"}: {ConfigBody: config},
		{}:              {ConfigBody: []byte(`{"created":"yesterday"}`)},
	} {
		if got := image.Base(); got != want {
			t.Errorf("base %+v, want %+v", got, want)
		}
	}
	if got := (inspect.Image{ConfigBody: config}).Created().Unix(); got != 1714979289 {
		t.Errorf("created %d", got)
	}
	if !(inspect.Image{ConfigBody: []byte(`{"created":"yesterday"}`)}).Created().IsZero() {
		t.Error("an image without a date has one")
	}
}
