package inspect_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func FuzzRead(f *testing.F) {
	for _, b := range []registrytest.Built{
		image("linux/amd64"),
		list(entry(image("linux/arm64")), entry(nest(image("linux/386"), 2))),
	} {
		f.Add(b.Manifest.Body, true)
		f.Add(b.Manifest.Body, false)
	}
	f.Add([]byte(`{"manifests":[{"digest":null},null,{}]}`), true)
	src := list(entry(image("linux/arm64"))).Source()
	f.Fuzz(func(t *testing.T, body []byte, isList bool) {
		mediaType := types.OCIManifestSchema1
		if isList {
			mediaType = types.OCIImageIndex
		}
		r, err := inspect.Read(t.Context(),
			registry.Object{Ref: registryRef(), Root: manifestOf(mediaType, string(body)), Source: src})
		if err != nil {
			wantIs(t, err, registry.ErrContent)
			return
		}
		findings := inspect.Check(r, inspect.CheckOptions{Require: []v1.Platform{plat("linux/amd64")}, Exact: true})
		inspect.Strictly(findings, inspect.Rules())
		if len(findings) < len(r.Images) {
			t.Errorf("%d findings for %d images", len(findings), len(r.Images))
		}
		for _, finding := range findings {
			if finding.Message == "" || strings.ContainsAny(finding.Message, "\n\r") {
				t.Errorf("message %q is not one line", finding.Message)
			}
		}
	})
}
