package build

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestLint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want string // RULE:LINE of each warning
	}{
		"clean":                      {"FROM scratch\nRUN make\n", ""},
		"shadow, global":             {"ARG TARGETARCH=amd64\nFROM scratch\n", "MT101:1"},
		"declared":                   {"FROM scratch\nARG TARGETARCH\nARG TARGET=x\n", ""},
		"fixed final stage":          {"FROM --platform=linux/amd64 scratch\nCOPY a /\n", "MT102:1"},
		"fixed to the requested one": {"FROM --platform=linux/arm64 scratch\nCOPY a /\n", ""},
		"fixed tools": {
			"FROM --platform=$BUILDPLATFORM a AS b\nRUN x86_64-gcc\nFROM scratch\nCOPY --from=b /a /\n", "",
		},
		"cross compiled for one": {
			"FROM --platform=$BUILDPLATFORM a AS b\nRUN GOARCH=amd64 go build\nFROM scratch\nCOPY --from=b /a /\n", "MT103:2",
		},
		"literal":                      {"FROM scratch\nRUN curl -O x-linux-amd64.tgz\n", "MT103:2"},
		"the requested one":            {"FROM scratch\nRUN curl -O x-aarch64.tgz\n", ""},
		"part of a word":               {"FROM scratch\nRUN echo x64bit amd64_ xarm\n", ""},
		"chosen by uname":              {"FROM scratch\nRUN case $(uname -m) in x86_64) a;; esac\n", ""},
		"chosen by the argument":       {"FROM scratch\nRUN test $TARGETARCH = amd64 || b\n", ""},
		"here-document":                {"FROM scratch\nRUN <<EOF\nok\napt install libc6-amd64\nEOF\n", "MT103:4"},
		"here-document, after a colon": {"FROM scratch\nRUN <<EOF\nok\napt install libc6:amd64\nEOF\n", "MT103:4"},
		"unused stage":                 {"FROM scratch AS x\nRUN amd64\nFROM scratch\nCOPY a /\n", ""},
		"continued, a comment between": {"FROM scratch\nRUN a && \\\n# amd64\n  amd64\n", "MT103:4"},
	} {
		d, err := parseDockerfile([]byte(c.text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		target := parse(t, "linux/arm64")
		n, err := d.requirements(inputs{For: target, BuildMachine: parse(t, "linux/amd64")})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, w := range d.lint([]v1.Platform{target}, []requirements{n}) {
			_, at, _ := strings.Cut(w.String(), ":")
			line, _, _ := strings.Cut(at, ":")
			got = append(got, w.Rule+":"+line)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
