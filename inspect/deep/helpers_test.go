package deep_test

import (
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// image returns an image that starts /app, with layers whose lines are separated by "--".
func image(t testing.TB, name string, lines ...string) registrytest.ImageSpec {
	t.Helper()
	p, err := platform.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	s := registrytest.ImageSpec{Platform: p, Files: [][]string{nil}, Entrypoint: []string{"/app"}}
	for _, line := range lines {
		if line == "--" {
			s.Files = append(s.Files, nil)
			continue
		}
		s.Files[len(s.Files)-1] = append(s.Files[len(s.Files)-1], line)
	}
	return s
}

func report(t testing.TB, b registrytest.Built) inspect.Report {
	t.Helper()
	ref := registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}
	r, err := inspect.Read(t.Context(), b.Object(ref))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func run(t testing.TB, s registrytest.ImageSpec, o deep.Options) deep.Result {
	t.Helper()
	r, err := deep.Inspect(t.Context(), report(t, registrytest.Image(s)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func globs(t testing.TB, texts ...string) (all []deep.Glob) {
	t.Helper()
	for _, text := range texts {
		g, err := deep.ParseGlob(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return all
}

func show(r deep.Result) string {
	var b strings.Builder
	for _, f := range append(r.Verdicts, r.Findings...) {
		b.WriteString("  " + string(f.State) + ": " + f.Message + "\n")
	}
	return b.String()
}
