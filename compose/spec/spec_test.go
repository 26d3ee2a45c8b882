package spec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"mtool/compose/spec"
	"mtool/registry"
)

// shapes are files in the styles of manifest-tool's documentation, and files with mtool's additions.
var shapes = map[string]string{
	"one repository each": `image: myprivreg:5000/someimage:latest
manifests:
  -
    image: myprivreg:5000/someimage:ppc64le
    platform:
      architecture: ppc64le
      os: linux
  -
    image: myprivreg:5000/someimage:amd64
    platform:
      architecture: amd64
      features:
        - sse
      os: linux
`,
	"additional tags": `image: r.example/x:v1.0.0
tags: ['1.0', '1', 'latest']
manifests:
  - image: r.example/x:armv6
    platform: {architecture: arm, os: linux, variant: v6}
`,
	"empty tags": "image: r.example/x:v1\ntags:\nmanifests:\n  - image: r.example/x:amd64\n",
	"windows, dotted": `image: r.example/x:v1
manifests:
  - image: r.example/x:win
    platform: {architecture: amd64, os: windows, os.version: 10.0.20348.1, os.features: [win32k]}
`,
	"windows, plain": `image: r.example/x:v1
manifests:
  - image: r.example/x:win
    platform: {architecture: amd64, os: windows, osversion: 10.0.20348.1, osfeatures: [win32k]}
`,
	"empty text": "manifests:\n  - image: x\n    annotations: {k: ''}\nannotations: {k: ''}\n---\n",
	"additions": `targets: [r2.example/x:v1]
type: oci
require: [linux/amd64]
annotations: {title: "a=b,c"}
manifests:
  - image: oci-archive:x.tar
    annotations: {k: v}
`,
}

func TestParseShapes(t *testing.T) {
	t.Parallel()
	for name, body := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := spec.Parse("x.yaml", []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, body); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
			if p := s.Manifests[0].Platform.V1(); strings.HasPrefix(name, "windows") &&
				(p.OSVersion != "10.0.20348.1" || len(p.OSFeatures) != 1) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const entry = "manifests:\n  - image: r.example/x:amd64\n"
	tests := []struct {
		name, body, words string
		schema            bool // whether the schema refuses it too
	}{
		{"a key misspelled", "image: x\nmanifest:\n  - image: y\n", `x.yaml:2: unknown field "manifest"`, true},
		{"a key of an entry", entry + "    plattform: {os: linux}\n", `x.yaml:3: unknown field "plattform"`, true},
		{"a key of a platform", entry + "    platform: {cpu: arm}\n", "x.yaml:3: ", true},
		{"a key twice", entry + "image: a\nimage: b\n", "x.yaml:4: ", false},
		{"a value of another kind", "manifests: 3\n", "x.yaml:1: ", true},
		{"no entries", "image: x\n", "no manifests", true},
		{"an empty file", "", "no manifests", true},
		{"an entry without an image", "manifests:\n  - platform: {os: linux}\n", "manifests[0]", true},
		{"an unknown architecture", entry + "    platform: {os: linux, architecture: amd46}\n", "amd46", false},
		{"two spellings", entry + "    platform: {os.version: '1', osversion: '2'}\n", "both spellings", false},
		{"an empty name", "image: \"\"\n" + entry, "x.yaml:1: image is empty (an unset variable?)", true},
		{"an empty image", "manifests:\n  - image: ' '\n", "x.yaml:2: image is empty", true},
		{"an empty tag", entry + "tags: ['']\n", "x.yaml:3: tags[0] is empty", true},
		{"a null target", entry + "targets:\n  -\n", "x.yaml:4: targets[0] is empty", true},
		{"an empty required platform", entry + "require: [linux/amd64, '']\n", "x.yaml:3: require[1] is empty", true},
		{
			"an empty architecture", entry + "    platform: {os: linux, architecture: ''}\n",
			"x.yaml:3: architecture is empty", true,
		},
		{"an empty alias", "image: &x ''\n" + entry + "    platform: {os: *x}\n", "x.yaml:1: image is empty", true},
		{"a second document", entry + "---\nrequire: [linux/amd64]\n", "x.yaml:3: a second document", false},
		{"not YAML", "a: [", "x.yaml:1: ", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := spec.Parse("x.yaml", []byte(tt.body))
			if !errors.Is(err, registry.ErrUsage) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v, want an error with %q", err, tt.words)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q has several lines", err)
			}
			if tt.schema && validate(t, tt.body) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

// validate checks YAML against the schema.
func validate(t *testing.T, body string) error {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("spec.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("spec.json")
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal([]byte(body), &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if value, err = jsonschema.UnmarshalJSON(bytes.NewReader(asJSON)); err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

const digest = "sha256:4111df81f2d5e3a4d7c2b1a0998877665544332211ffeeddccbbaa0099887766"

func result(platform, version string) string {
	return `{"schema":"mtool.result/v1","repo":"r.example/x","digest":"` + digest + `","platform":"` + platform +
		`","version":"` + version + `"}`
}

func TestResults(t *testing.T) {
	t.Parallel()
	amd64 := []v1.Platform{{OS: "linux", Architecture: "amd64"}}
	tests := []struct {
		name, body string
		want       []v1.Platform
		count      int
		words      string // in the error, "" for none
	}{
		{"one", result("linux/amd64", "1"), amd64, 1, ""},
		{"one after the other", result("linux/amd64", "1") + "\n" + result("linux/arm64", "1"), amd64, 2, ""},
		{"an array", "[" + result("linux/amd64", "") + "," + result("linux/arm64", "") + "]", amd64, 2, ""},
		{"twice", result("linux/arm64", "1") + result("linux/arm64/v8", "1"), nil, 2, "two results for linux/arm64"},
		{"another version", result("linux/amd64", "1") + result("linux/arm64", "2"), nil, 2, `version "2"`},
		{"missing", result("linux/arm64", "1"), amd64, 1, "no result for linux/amd64"},
		{
			"another run", result("linux/amd64", "1") + strings.Replace(result("linux/arm64", "1"), "{", `{"run":"7",`, 1),
			nil, 2, `run "7"`,
		},
		{
			"another repository", result("linux/amd64", "1") + strings.Replace(result("linux/arm64", "1"), "/x", "/y", 1),
			nil, 2, `in "r.example/y"`,
		},
		{"another schema", `{"schema":"other/v1"}`, nil, 0, `its schema is "other/v1"`},
		{"not JSON", "digest: x", nil, 0, "not"},
		{"empty", "", nil, 0, "EOF"},
		{"an empty array", "[]", nil, 0, "no result"},
		{"no image", `{"schema":"mtool.result/v1","platform":"linux/amd64"}`, nil, 0, "repo and digest"},
		{"no platform", result("", "1"), nil, 0, "platform"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := spec.ParseResults("r.json", []byte(tt.body))
			if err == nil {
				err = spec.CheckResults(got, spec.CheckOptions{Want: tt.want})
			}
			if len(got) != tt.count {
				t.Errorf("got %d results, want %d", len(got), tt.count)
			}
			switch {
			case tt.words == "" && err != nil:
				t.Error(err)
			case tt.words != "" && (!errors.Is(err, registry.ErrContent) || !strings.Contains(err.Error(), tt.words)):
				t.Errorf("got %v, want an error with %q", err, tt.words)
			}
		})
	}
}
