package compose_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mtool/compose"
	"mtool/registry"
)

func TestParseSources(t *testing.T) {
	t.Parallel()
	const digest = "sha256:4111df81f2d5e3a4d7c2b1a0998877665544332211ffeeddccbbaa0099887766"
	file := filepath.Join(t.TempDir(), "d.json")
	if err := os.WriteFile(file, []byte(`{"digest":"`+digest+`"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := registry.ParseRef("r.example/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ word, want, arch string }{
		{"r.example/x:v1", "r.example/x:v1", ""},
		{digest, "r.example/demo@" + digest, ""},
		{digest + "\n", "r.example/demo@" + digest, ""},
		{file, "r.example/demo@" + digest, ""},
		{`{"digest":"` + digest + `","platform":{"os":"linux","architecture":"arm64"}}`, "r.example/demo@" + digest, "arm64"},
		{"none.json", "docker.io/library/none.json:latest", ""},
		{`{"digest":"sha256:12"}`, "", ""},
		{`{"schemaVersion":2,"manifests":[]}`, "", ""},
		{`{"schemaVersion":2,"layers":[]}`, "", ""},
		{"{", "", ""},
		{"BAD NAME", "", ""},
	}
	for _, tt := range tests {
		refs, overrides, err := compose.ParseSources(list, []string{tt.word})
		if tt.want == "" {
			if !errors.Is(err, registry.ErrName) {
				t.Errorf("%q: got %v, %v", tt.word, refs, err)
			}
			continue
		}
		if err != nil || refs[0].String() != tt.want || overrides[0].Platform.Architecture != tt.arch {
			t.Errorf("%q: got %v, %v, %v", tt.word, refs, overrides, err)
		}
		if digested := strings.Contains(tt.want, "@"); digested && refs[0].Tag != "" {
			t.Errorf("%q is read by the tag %q", tt.word, refs[0].Tag)
		}
	}
}
