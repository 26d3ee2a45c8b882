package registry

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// What is typed as a name and more likely is something else is not asked of Docker Hub, nor written to it.
func TestMisplacedNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"folder", "me/folder", "some.dir"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile("file", nil, 0o600), os.WriteFile("deploy.yaml", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	const ok = ""
	tests := []struct{ in, source, target, hint string }{
		{"folder", "it is a directory here", "it is a directory here", "write oci:folder"},
		{"me/folder", "it is a directory here", "it is a directory here", "docker://me/folder"},
		{"some.dir", "it is a directory here", "it is a directory here", "write oci:some.dir"},
		{"file", "it is a file", "it is a file", "oci-archive:file"},
		{"deploy.yaml", "it is a file", "it is a file", ""},
		{"registry.example.com", "without a repository", "without a repository", "registry.example.com/NAME"},
		{"registry.example.com:5000", "without a repository", "without a repository", "registry.example.com:5000/NAME"},
		{"out.tar", "no such file", "a file without its kind", "write oci-archive:out.tar"},
		{"out.tgz", "no such file", "a file without its kind", "write oci-archive:out.tgz"},
		{"demo", ok, "names no registry", "write HOST/demo:latest"},
		{"demo:v1", ok, "names no registry", "write HOST/demo:v1"},
		{"store:demo:v1", ok, ok, ""},
		{"folder:v1", ok, "names no registry", ""},
		{"web.api:v1", ok, "names no registry", ""},
		{"demo@" + digA, ok, "names no registry", ""},
		{"me/demo", ok, ok, ""},
		{"docker://folder", ok, ok, ""},
		{"docker.io/library/folder", ok, ok, ""},
		{"registry.example.com/folder", ok, ok, ""},
		{"oci:folder", ok, ok, ""},
	}
	check := func(in, role, want, hint string, err error) {
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q as a %s: got %v, want %q", in, role, err, want)
		}
		if err != nil && !errors.Is(err, ErrName) {
			t.Errorf("%q as a %s: %v does not wrap ErrName", in, role, err)
		}
		if hint != "" && !strings.Contains(hintOf(err), hint) {
			t.Errorf("%q as a %s: got hint %q, want %q", in, role, hintOf(err), hint)
		}
	}
	for _, tt := range tests {
		r, err := ParseRef(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		check(tt.in, "source", tt.source, "", r.CheckHub())
		check(tt.in, "target", tt.target, tt.hint, r.CheckTarget())
	}
}
