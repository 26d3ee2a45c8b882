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

func TestLintCaches(t *testing.T) {
	t.Parallel()
	const both = "linux/amd64 linux/arm64"
	for name, c := range map[string]struct {
		mounts, platforms string
		want              int
	}{
		"shared":                  {"FROM scratch\nRUN --mount=type=cache,target=/c a\n", both, 1},
		"shared, said":            {"FROM scratch\nRUN --mount=type=cache,target=/c,sharing=shared a\n", both, 1},
		"one path of two stages":  {"FROM scratch AS a\nRUN --mount=type=cache,target=/c a\nFROM a\nRUN --mount=type=cache,target=/c/ a\n", both, 2},
		"locked":                  {"FROM scratch\nRUN --mount=type=cache,target=/c,sharing=locked a\n", both, 0},
		"private":                 {"FROM scratch\nRUN --mount=type=cache,target=/c,sharing=private a\n", both, 0},
		"an id for each platform": {"FROM scratch\nARG TARGETARCH\nRUN --mount=type=cache,target=/c,id=c-$TARGETARCH a\n", both, 0},
		"one platform":            {"FROM scratch\nRUN --mount=type=cache,target=/c a\n", "linux/arm64", 0},
		"no cache":                {"FROM scratch\nRUN --mount=type=tmpfs,target=/c a\n", both, 0},
		"cross compiling": {
			"FROM --platform=$BUILDPLATFORM scratch AS b\nRUN --mount=type=cache,target=/c a\nFROM scratch\nCOPY --from=b /a /\n", both, 0,
		},
		"cross compiling in a stage of a stage": {
			"FROM --platform=$BUILDPLATFORM scratch AS b\nFROM b AS c\nRUN --mount=type=cache,target=/c a\nFROM scratch\nCOPY --from=c /a /\n",
			both, 0,
		},
	} {
		d, err := parseDockerfile([]byte(c.mounts))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var targets []v1.Platform
		var all []requirements
		for word := range strings.FieldsSeq(c.platforms) {
			targets = append(targets, parse(t, word))
			n, err := d.requirements(inputs{For: parse(t, word), BuildMachine: parse(t, "linux/amd64")})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, n)
		}
		if got := d.lint(targets, all); len(got) != c.want || len(got) > 0 && got[0].Rule != ruleCache {
			t.Errorf("%s: got %v, want %d of %s", name, got, c.want, ruleCache)
		}
	}
}
