package cli

import (
	"errors"
	"slices"
	"testing"

	"mtool/registry"
)

func TestSplitCommand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                      nil,
		"  app  --version ":     {"app", "--version"},
		`a 'b c' "d e" f\ g`:    {"a", "b c", "d e", "f g"},
		`'' ""`:                 {"", ""},
		`sh -c "a | b > \"c\""`: {"sh", "-c", `a | b > "c"`},
		`a'$x'"\$y"\$z`:         {"a$x$y$z"},
		`"a\b" 'a\b'`:           {`a\b`, `a\b`},
		"a\tb\nc":               {"a", "b", "c"},
		"--x=a,b?c#d~e{f}[g]!":  {"--x=a,b?c#d~e{f}[g]!"},
	} {
		if got, err := splitCommand("--run", text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"a | b", "a && b", "a; b", "a > b", "a < b", "a $x", `"$x"`, "`a`", "a (b)", "a *", `"a`,
		"a 'b", `a \`,
	} {
		if got, err := splitCommand("--run", text); !errors.Is(err, registry.ErrUsage) || got != nil {
			t.Errorf("%q: %q, %v, want an error", text, got, err)
		}
	}
}
