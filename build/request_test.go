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

func TestEpoch(t *testing.T) {
	t.Parallel()
	env := func(string) (string, bool) { return "1700000000", true }
	none := func(string) (string, bool) { return "", false }
	given := map[string]string{epochArg: "1"}
	for _, c := range []struct {
		spec   Spec
		lookup func(string) (string, bool)
		want   string
	}{
		{Spec{}, none, ""},
		{Spec{}, env, "1700000000"},
		{Spec{BuildArgs: given}, env, "1"},
		{Spec{BuildArgs: map[string]string{"A": "b"}}, env, "1700000000"},
	} {
		before := maps.Clone(c.spec.BuildArgs)
		got := withEpoch(c.spec, c.lookup)
		if got.BuildArgs[epochArg] != c.want {
			t.Errorf("%v: got %q, want %q", c.spec.BuildArgs, got.BuildArgs[epochArg], c.want)
		}
		if rewrite := export(got, nil).Attrs["rewrite-timestamp"]; (rewrite == "true") != (c.want != "") {
			t.Errorf("%v: rewrite-timestamp is %q", got.BuildArgs, rewrite)
		}
		if !maps.Equal(c.spec.BuildArgs, before) {
			t.Errorf("the caller's arguments were changed: %v", c.spec.BuildArgs)
		}
	}
}

func TestRepositoryOfScope(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{
		"repository:library/demo:pull": "library/demo",
		"repository:a/b:pull,push":     "a/b", "registry:catalog:*": "", "": "",
	} {
		if got := repository([]string{scope}); got != want {
			t.Errorf("%q: got %q, want %q", scope, got, want)
		}
	}
}
