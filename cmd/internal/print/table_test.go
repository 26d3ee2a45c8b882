package print

import (
	"bytes"
	"strings"
	"testing"
)

const longDigest = "sha256:4111df81df3bdd1d93b3973a646110909f28a89fd0421f02d2c0a2d9d50ac6c9"

// A table fits the width of its terminal; in a file nothing is shortened.
func TestTable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		screen Screen
		want   string
	}{
		{"a file", Screen{Whole: true}, `
NAME                        STATE      DIGEST                                                                   PLATFORMS
registry.test/应用/网站:v1  claims-ok  ` + longDigest + `  linux/amd64,linux/arm64,linux/s390x,linux/riscv64
short                       mismatch   -                                                                        linux/amd64
`},
		{"wide", Screen{Width: 130, Marks: true}, `
NAME                        STATE        DIGEST               PLATFORMS
registry.test/应用/网站:v1  ✓ claims-ok  sha256:4111df81df3b  linux/amd64,linux/arm64,linux/s390x,linux/riscv64
short                       ✗ mismatch   -                    linux/amd64
`},
		{"80", Screen{Width: 80, Marks: true, ASCII: true}, `
NAME                        STATE        DIGEST               PLATFORMS
registry.test/应用/网站:v1  + claims-ok  sha256:4111df81df3b
  platforms: linux/amd64,linux/arm64,linux/s390x,linux/riscv64
short                       x mismatch   -                    linux/amd64
`},
		{"colours", Screen{Width: 80, Marks: true, Colour: true, Whole: true}, `
NAME            STATE        DIGEST
registry.test/  ✓ claims-ok  ` + longDigest + `
应用/网站:v1
  platforms: linux/amd64,linux/arm64,linux/s390x,linux/riscv64
short           ` + "\x1b[1;31m✗ mismatch\x1b[0m" + `   -
  platforms: linux/amd64
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			table := newTable(&b, nameColumn("NAME"), stateColumn("STATE"), digestColumn("DIGEST"), textColumn("PLATFORMS"))
			table.screen = tt.screen
			table.row("registry.test/应用/网站:v1", "claims-ok", longDigest, "linux/amd64,linux/arm64,linux/s390x,linux/riscv64")
			table.row("short", "mismatch", "-", "linux/amd64")
			if err := table.flush(); err != nil {
				t.Fatal(err)
			}
			if b.String() != strings.TrimPrefix(tt.want, "\n") {
				t.Errorf("got:\n%s\nwant:%s", &b, tt.want)
			}
		})
	}
}

// A value that several rows share is printed above them.
func TestTableOfSeveral(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table := newTable(&b, column{name: "REFERENCE", above: true}, "PLATFORM", stateColumn("STATE"), pathColumn("BASE"))
	table.screen = Screen{Width: 50}
	table.row("registry.test/a/rather/long/name:v1", "linux/amd64", "claims-ok", "alpine:3")
	table.row("registry.test/a/rather/long/name:v1", "linux/arm64", "mismatch",
		"registry.test/bases/"+strings.Repeat("long/", 10)+"x")
	table.row("short", "linux/amd64", "claims-ok", "-")
	want := `  PLATFORM     STATE      BASE
registry.test/a/rather/long/name:v1
  linux/amd64  claims-ok  alpine:3
  linux/arm64  mismatch
    base: registry.test/bases/long/long/long/
      long/long/long/long/long/long/long/x
short
  linux/amd64  claims-ok  -
`
	if err := table.flush(); err != nil || b.String() != want {
		t.Errorf("%v, got:\n%s\nwant:\n%s", err, &b, want)
	}
}

func TestScreen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env          string
		colour, mark bool
		ascii        bool
	}{
		{"", false, false, true},
		{"LANG=zh_CN.UTF-8", false, false, false},
		{"LC_ALL=C LANG=en_US.utf8", false, false, true},
		{"LANG=en_US.utf8 CLICOLOR_FORCE=1", true, true, false},
		{"LANG=en_US.utf8 CLICOLOR_FORCE=0", false, false, false},
		{"LANG=en_US.utf8 CLICOLOR_FORCE=1 NO_COLOR=1", false, true, false},
	}
	for _, tt := range tests {
		env := map[string]string{}
		for word := range strings.FieldsSeq(tt.env) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		s := screenOf(nil, func(name string) string { return env[name] })
		if want := (Screen{Colour: tt.colour, Marks: tt.mark, ASCII: tt.ascii}); s != want {
			t.Errorf("%s: got %+v, want %+v", tt.env, s, want)
		}
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "abc": 3, "应用": 4, "e\u0301": 1, "ｱ": 1, "Ａ": 2, "한": 2,
		"✓": 1, "…": 1,
	} {
		if got := Width(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestShortened(t *testing.T) {
	t.Parallel()
	if got := shortened(&bytes.Buffer{}, longDigest); got != longDigest {
		t.Errorf("in a file: %s", got)
	}
	digest := strings.TrimPrefix(longDigest, "sha256:")
	got := shorten("a sha256:" + digest + " and x@sha256:" + digest + ", sha256:1234 sha256:")
	if want := "a sha256:4111df81df3b and x@sha256:4111df81df3b, sha256:1234 sha256:"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
