package build

import (
	"maps"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/remote"
)

func TestAttrs(t *testing.T) {
	t.Parallel()
	digest := v1.Hash{Algorithm: "sha256", Hex: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
	ref, err := registry.ParseRef("docker://base")
	if err != nil {
		t.Fatal(err)
	}
	got := attrs(Spec{
		Dockerfile: "/a/My.Dockerfile", Target: "t", NoCache: true,
		BuildArgs: map[string]string{"A": "1", "no_proxy": "mine"}, Labels: map[string]string{"l": "x"},
	}, parse(t, "linux/arm/v7"),
		[]localBase{{
			base: base{Name: "base", Platform: parse(t, "linux/arm/v7")}, Ref: ref.At(registry.TransportStore),
			Digest: digest,
		}}, remote.Proxy{No: "theirs", HTTP: "http://proxy"})
	want := map[string]string{
		"platform": "linux/arm/v7", "filename": "My.Dockerfile", "cmdline": "mtool", "target": "t", "no-cache": "",
		"build-arg:A": "1", "build-arg:HTTP_PROXY": "http://proxy", "build-arg:no_proxy": "mine", "label:l": "x",
		"context:base::linux/arm/v7": "oci-layout://store@" + digest.String(),
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
