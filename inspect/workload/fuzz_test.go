package workload_test

import (
	"errors"
	"strings"
	"testing"

	"mtool/inspect/workload"
)

// FuzzRead: for any bytes, Read returns a result or an ErrFile, and each place is a line of the file.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: c\n    image: b:1\n  nodeSelector: {kubernetes.io/arch: arm64}\n",
		"services:\n  a:\n    image: x:${TAG:-v1}\n    platform: linux/arm64\n  b: {build: .}\n",
		"include: [f]\nservices:\n  a: {extends: {file: f, service: b}, deploy: {placement: {constraints: [node.platform.arch == x86_64]}}}\n  b: {image: x}\n",
		"a: &a {image: x}\n---\nb: &b\n  <<: *b\n", "{{ .x }}", "{\"kind\": \"Node\", \"spec\": [{}]}", cluster,
		"- - - ? : |\n  x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 1
		for _, c := range string(data) {
			if strings.ContainsRune("\n\r\u0085\u2028\u2029", c) { // the line breaks of YAML 1.1
				lines++
			}
		}
		itself := func(string) ([]byte, error) { return data, nil }
		found, err := workload.Read("f", data, workload.Options{Read: itself})
		if err != nil && !errors.Is(err, workload.ErrFile) {
			t.Fatalf("the error is not an ErrFile: %v", err)
		}
		for _, u := range found.Uses {
			if u.Line < 1 || u.Line > lines || u.Image == "" {
				t.Fatalf("%s of %d lines: %q", u.Place, lines, u.Image)
			}
			u.Required(workload.Universe{})
		}
		if _, err := workload.ReadNodes("f", data); err != nil && !errors.Is(err, workload.ErrFile) {
			t.Fatalf("the error is not an ErrFile: %v", err)
		}
	})
}
