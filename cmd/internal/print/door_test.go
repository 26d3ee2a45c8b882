package print

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"mtool/registry/registrytest"
)

// Out escapes a text in the same way, however it is split into writes.
func TestOut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		manners        Manners
	}{
		{name: "text", in: "a\tb\nüЖ漢 ├─ ℹ️ 😀\n", want: "a\tb\nüЖ漢 ├─ ℹ️ 😀\n"},
		{name: "C0", in: "\x1b[2J\x00\a\b\r\v\f\x7f", want: `\u001b[2J\u0000\u0007\u0008\u000d\u000b\u000c\u007f`},
		{name: "C1", in: "\u009b31m\u0085", want: `\u009b31m\u0085`},
		{name: "bidi", in: "\u202e\u2066\u200f\u061c", want: `\u202e\u2066\u200f\u061c`},
		{
			name: "invisible", in: "\u200b\u2060\ufeff\u00ad\u3164\u2028\U000e0041",
			want: `\u200b\u2060\ufeff\u00ad\u3164\u2028\udb40\udc41`,
		},
		{name: "invalid UTF-8", in: "a\xffb\xc3", want: "a\ufffdb\ufffd"},
		{
			name: "commands of GitHub", in: "::error::x\n \t::add-mask::x\na ::b:: :c\n: :",
			want: ":\\u003aerror::x\n \t:\\u003aadd-mask::x\na ::b:: :c\n: :",
		},
		{
			name: "commands anywhere", in: "a ##[add-mask]x ##vso[task.x] ###[x] #[ok] # #[ok] ## [ok]",
			want: `a ##\u005badd-mask]x ##vso\u005btask.x] ###\u005bx] #[ok] # #[ok] ## [ok]`,
		},
		{
			name: "own commands", in: "::error::##[x]\x1b\n", want: "::error::##\\u005bx]\\u001b\n",
			manners: Manners{Commands: true},
		},
		{
			name: "colours", in: "\x1b[1;31mred\x1b[0m\x1b[m\x1b[2J\x1b]0;t\a\x1b",
			want: "\x1b[1;31mred\x1b[0m\x1b[m\\u001b[2J\\u001b]0;t\\u0007\\u001b", manners: Manners{Colours: true},
		},
		{
			name: "lines of a log", in: "10%\r\n20%\r::error::\rx\r\r\ny", want: "10%\n20%\n:\\u003aerror::\nx\n\ny",
			manners: Manners{Colours: true},
		},
		{
			name: "a long sequence", in: "\x1b[" + strings.Repeat("1;", 40) + "m",
			want: `\u001b[` + strings.Repeat("1;", 40) + "m", manners: Manners{Colours: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 2, 3, len(tt.in)} {
				var b bytes.Buffer
				out := NewOut(&b)
				for in := tt.in; in != ""; {
					n := min(size, len(in))
					if got, err := out.With(tt.manners).Write([]byte(in[:n])); got != n || err != nil {
						t.Fatalf("got %d, %v", got, err)
					}
					in = in[n:]
				}
				if err := out.Close(); err != nil || b.String() != tt.want {
					t.Errorf("in parts of %d: got %q, %v, want %q", size, &b, err, tt.want)
				}
			}
		})
	}
}

// FuzzOut checks that no escaped text controls a terminal or starts a CI command, and that escaped JSON decodes to the
// same value.
func FuzzOut(f *testing.F) {
	f.Add("\x1b[2J", "##", "[x]")
	f.Add("a\n", "::", "error::\u202e\U000e0041")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var text, logged, encoded bytes.Buffer
		for _, to := range []struct {
			b *bytes.Buffer
			m Manners
		}{{&text, Manners{}}, {&logged, Manners{Colours: true}}} {
			out := NewOut(to.b)
			for _, part := range []string{a, b, c} {
				_, _ = out.With(to.m).Write([]byte(part))
			}
			_ = out.Close()
			text := to.b.String()
			if to.m.Colours {
				text = regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(text, "")
			}
			if bad := registrytest.Injection(text); bad != "" && !strings.Contains(a+b+c, "FORGED") {
				t.Errorf("%q %q %q: %s in %q", a, b, c, bad, to.b)
			}
		}
		if strings.ContainsAny(Line(a), "\n\t\r") {
			t.Errorf("%q has several lines or cells", Line(a))
		}
		out := NewOut(&encoded)
		_ = writeJSON(out, a)
		_ = out.Close()
		var back string
		if err := json.Unmarshal(encoded.Bytes(), &back); err != nil || utf8.ValidString(a) && back != a {
			t.Errorf("%q became %q: %v", a, &encoded, err)
		}
	})
}

// Close returns an error of the writer.
func TestOutFails(t *testing.T) {
	t.Parallel()
	out := NewOut(failing{})
	printf(out, "x\n")
	if err := out.Close(); err == nil {
		t.Error("no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }
