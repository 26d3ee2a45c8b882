package draft

import (
	"strings"
	"testing"
)

func FuzzFileNames(f *testing.F) {
	for _, s := range []string{
		"docker.io/library/demo:v1", "R.example:5000/a_b/c-d:V1", "%2f", "..", "long-sha256-ab",
		strings.Repeat("x/", 100),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" {
			t.Skip("names are not empty")
		}
		file := fileOf(name)
		if strings.ContainsAny(file, "/\\:") || strings.HasPrefix(file, ".") || len(file) > maxName+len(suffix) ||
			file != strings.ToLower(file) {
			t.Errorf("fileOf(%q) = %q is not a safe file name", name, file)
		}
		if strings.HasPrefix(file, hashed) {
			return
		}
		if back := nameIn(file); back != name {
			t.Errorf("nameIn(%q) = %q, want %q", file, back, name)
		}
	})
}

func TestNameInRefuses(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"", "demo", "Demo.json", "a%.json", "a%2.json", "a%zz.json", "a%2F.json", "a b.json",
		"%61.json",
	} {
		if name := nameIn(file); name != "" {
			t.Errorf("nameIn(%q) = %q, want \"\"", file, name)
		}
	}
}
