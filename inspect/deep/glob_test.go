package deep

import "testing"

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		glob, path string
		want       bool
	}{
		{"opt/*", "opt/a", true},
		{"opt/*", "opt/a/b", false},
		{"opt/**", "opt/a/b", true},
		{"opt/", "opt/a/b", true},
		{"/opt/a", "opt/a", true},
		{"opt/a", "opt/ab", false},
		{"opt.a", "optxa", false},
		{"**/*.so", "a/b/c.so", true},
		{"**/*.so", "c.so", true},
		{"*.so", "a/c.so", false},
		{"lib[0-9]", "lib6", true},
		{"lib[0-9]", "libx", false},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
		{"**", "any/thing", true},
	} {
		g, err := ParseGlob(c.glob)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Match(c.path); got != c.want {
			t.Errorf("%q matches %q: got %v", c.glob, c.path, got)
		}
	}
	for _, bad := range []string{"", " ", "/", "a[", `a\`} {
		if _, err := ParseGlob(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
