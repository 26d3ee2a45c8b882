package build

import (
	"maps"
	"testing"
)

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
