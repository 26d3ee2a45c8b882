package spec_test

import (
	"strings"
	"testing"

	"mtool/compose/spec"
)

// FuzzParse checks that errors name the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte("image: demo:v1\nmanifests:\n- image: demo:amd64\n  platform: {os: linux, architecture: amd64}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("\t"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := spec.Parse("file.yaml", data); err != nil && !strings.Contains(err.Error(), "file.yaml") {
			t.Errorf("the error %q does not name the file", err)
		}
	})
}

func FuzzResults(f *testing.F) {
	f.Add([]byte(`{"schema":"mtool.result/v1","images":[]}`))
	f.Add([]byte(
		`{"containerimage.digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","image.name":"demo:v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := spec.ParseResults("out.json", data); err != nil && !strings.Contains(err.Error(), "out.json") {
			t.Errorf("the error %q does not name the file", err)
		}
	})
}
