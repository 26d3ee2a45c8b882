package deep

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

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
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/xb", false},
		{"**/**/b", "b", true},
		{"a**b", "a/x/b", true},
		{"***", "a/b", true},
		{"lib[^0-9]", "lib6", false},
		{`[\]x]`, "]", true},
		{"a?", "aé", true},
		{"é?/*", "éß/x", true},
		{"[^a]x", "éx", true},
	} {
		g, err := ParseGlob(c.glob)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Match(c.path); got != c.want {
			t.Errorf("%q matches %q: got %v", c.glob, c.path, got)
		}
	}
	for _, bad := range []string{"", " ", "/", "a[", `a\`, strings.Repeat("a", maxGlob+1)} {
		if _, err := ParseGlob(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// TestGlobAsRegexp compares the matcher with regular expressions on random patterns and paths.
func TestGlobAsRegexp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		glob := words(random, 7, "a", "b", "/", "*", "**", "**/", "?", "[ab]", "[^a]")
		path := words(random, 9, "a", "b", "/")
		g, err := ParseGlob(glob)
		if err != nil {
			continue
		}
		clean := strings.TrimLeft(glob, "/")
		if strings.HasSuffix(clean, "/") {
			clean += "**"
		}
		for strings.Contains(clean, "***") {
			clean = strings.ReplaceAll(clean, "***", "**")
		}
		pattern := strings.NewReplacer("**/", "(.*/)?", "**", ".*", "*", "[^/]*", "?", "[^/]").Replace(clean)
		if want := regexp.MustCompile("^" + pattern + "$").MatchString(path); g.Match(path) != want {
			t.Fatalf("%q matches %q: got %v", glob, path, !want)
		}
	}
}

func words(random *rand.Rand, most int, of ...string) string {
	var b strings.Builder
	for range random.IntN(most) + 1 {
		b.WriteString(of[random.IntN(len(of))])
	}
	return b.String()
}

// A matcher that backtracks, or takes more than one step for a byte and position, would not finish.
func TestGlobIsLinear(t *testing.T) {
	t.Parallel()
	glob, err := ParseGlob(strings.Repeat("*a", maxGlob/2-1) + "*b")
	if err != nil {
		t.Fatal(err)
	}
	if long := strings.Repeat("a", 4<<20); glob.Match(long) || !glob.Match(long+"b") {
		t.Error("wrong result for 4 MiB")
	}
}

func BenchmarkGlob(b *testing.B) {
	glob, err := ParseGlob(strings.Repeat("*a", maxGlob/2-1) + "*b")
	if err != nil {
		b.Fatal(err)
	}
	path := strings.Repeat("a", 100)
	for b.Loop() {
		glob.Match(path)
	}
}
