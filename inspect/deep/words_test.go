package deep

import "testing"

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, arch string
		want       bool
	}{
		{"linux-x64", "amd64", true},
		{"x86_64-linux-gnu", "amd64", true},
		{"linux_amd64", "amd64", true},
		{"LINUX-X64", "amd64", true},
		{"x86_64-linux-gnu", "386", false},
		{"linux-x86-64", "386", false},
		{"linux-x86", "386", true},
		{"i386-linux-gnu", "386", true},
		{"linux-x64", "arm64", false},
		{"aarch64-linux-gnu", "arm64", true},
		{"arm64", "arm", false},
		{"arm-linux-gnueabihf", "arm", true},
		{"alarm", "arm", false},
		{"charm64", "arm64", false},
		{"armhf", "arm", true},
		{"box64", "amd64", false},
		{"matrix64", "amd64", false},
		{"m68k-linux-gnu", "m68k", true},
		{"any", "", false},
		{"x86x86_64", "amd64", false},
		{"x86_64x-x64", "amd64", true},
	} {
		if got := names(c.name, c.arch); got != c.want {
			t.Errorf("%q names %s: got %v", c.name, c.arch, got)
		}
	}
}

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
