package provenance

import (
	"maps"
	"strings"
	"testing"
)

// TestRecipe reads provenance in both versions, from contexts that BuildKit or its client fetched, or none did.
func TestRecipe(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("0123456789", 4)
	for name, c := range map[string]struct{ predicate, context, file string }{
		"fetched by BuildKit": {
			`{"buildDefinition":{"buildType":"x","externalParameters":{"configSource":{"uri":"https://example.com/a.git#v1:sub",
			"digest":{"sha1":"` + commit + `"},"path":"Containerfile"}}}}`,
			"https://example.com/a.git#" + commit + ":sub", "Containerfile",
		},
		"version 0.2": {
			`{"invocation":{"configSource":{"uri":"https://example.com/a.git","digest":{"sha1":"` + commit + `"},"entryPoint":"D"}}}`,
			"https://example.com/a.git#" + commit, "D",
		},
		"fetched by the client": {
			`{"buildDefinition":{"buildType":"x"},"runDetails":{"metadata":{"buildkit_metadata":{"vcs":{
			"source":"https://example.com/a","revision":"` + commit + `","localdir:context":"sub"}}}}}`,
			"https://example.com/a.git#" + commit + ":sub", "",
		},
		"by the client, version 0.2": {
			`{"metadata":{"https://mobyproject.org/buildkit@v1#metadata":{"vcs":{
			"source":"git@example.com:a.git","revision":"` + commit + `","localdir:context":"."}}}}`,
			"git@example.com:a.git#" + commit, "",
		},
		"changed files": {
			`{"buildDefinition":{"buildType":"x"},"runDetails":{"metadata":{"buildkit_metadata":{"vcs":{
			"source":"https://example.com/a.git","revision":"` + commit + `-dirty"}}}}}`,
			"", "",
		},
		"a directory": {`{"buildDefinition":{"buildType":"x"}}`, "", ""},
	} {
		r, err := Statement{Predicate: []byte(c.predicate)}.Recipe()
		if err != nil || r.Context != c.context || r.Dockerfile != c.file || r.Whole {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestBases(t *testing.T) {
	t.Parallel()
	image := func(uri, digest string) Material { return Material{uri, map[string]string{"sha256": digest}} }
	got := bases([]Material{
		image("pkg:docker/alpine@3.20?platform=linux%2Farm64", "a"),
		image("pkg:docker/alpine@3.20?platform=linux%2Famd64", "a"),
		image("pkg:docker/127.0.0.1:5000/base@v1?platform=linux%2Farm64", "b"),
		image("pkg:docker/two@v1", "c"),
		image("pkg:docker/two@v1", "d"),
		image("pkg:docker/pinned@sha256:e?platform=linux%2Farm64", "e"),
		image("https://example.com/file", "f"),
		{"pkg:docker/none@v1", nil},
	})
	want := map[string]string{"alpine:3.20": "sha256:a", "127.0.0.1:5000/base:v1": "sha256:b", "two:v1": ""}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
