package build

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"

	"mtool/inspect/platform"
	"mtool/registry"
)

func TestLint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want string // rules, each with its line
	}{
		"clean":                {"FROM scratch\nRUN make\n", ""},
		"shadow, global":       {"ARG TARGETARCH=amd64\nFROM scratch\n", "MT101:1"},
		"declared":             {"FROM scratch\nARG TARGETARCH\nARG TARGET=x\n", ""},
		"fixed final stage":    {"FROM --platform=linux/amd64 scratch\nCOPY a /\n", "MT102:1"},
		"fixed as it is asked": {"FROM --platform=linux/arm64 scratch\nCOPY a /\n", ""},
		"fixed tools": {
			"FROM --platform=$BUILDPLATFORM a AS b\nRUN x86_64-gcc\nFROM scratch\nCOPY --from=b /a /\n", "",
		},
		"cross compiled for one": {
			"FROM --platform=$BUILDPLATFORM a AS b\nRUN GOARCH=amd64 go build\nFROM scratch\nCOPY --from=b /a /\n", "MT103:2",
		},
		"literal":                      {"FROM scratch\nRUN curl -O x-linux-amd64.tgz\n", "MT103:2"},
		"its own":                      {"FROM scratch\nRUN curl -O x-aarch64.tgz\n", ""},
		"part of a word":               {"FROM scratch\nRUN echo x64bit amd64_ xarm\n", ""},
		"chosen by uname":              {"FROM scratch\nRUN case $(uname -m) in x86_64) a;; esac\n", ""},
		"chosen by the argument":       {"FROM scratch\nRUN test $TARGETARCH = amd64 || b\n", ""},
		"here-document":                {"FROM scratch\nRUN <<EOF\nok\napt install libc6-amd64\nEOF\n", "MT103:4"},
		"here-document, a word of it":  {"FROM scratch\nRUN <<EOF\nok\napt install libc6:amd64\nEOF\n", "MT103:4"},
		"stage that is not built":      {"FROM scratch AS x\nRUN amd64\nFROM scratch\nCOPY a /\n", ""},
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

func TestSyntaxError(t *testing.T) {
	t.Parallel()
	text := []byte("FROM a\n\tRUNN b\n")
	_, err := parseDockerfile(text)
	err = newSyntaxError("D", text, err)
	if !errors.Is(err, registry.ErrUsage) || !strings.HasSuffix(err.Error(), "\n    2 |  RUNN b\n         ^") {
		t.Errorf("got %q", err)
	}
	_, err = parseDockerfile([]byte("# nothing\n"))
	if err = newSyntaxError("D", nil, err); !errors.Is(err, registry.ErrUsage) || strings.Contains(err.Error(), "^") {
		t.Errorf("got %q", err)
	}
}

func TestNamedContexts(t *testing.T) {
	t.Parallel()
	d, err := parseDockerfile(
		[]byte("FROM one AS a\nRUN --mount=type=secret,id=s,required b\nFROM busybox:latest\nCOPY --from=a /x /\nCOPY --from=dir /x /\n"))
	if err != nil {
		t.Fatal(err)
	}
	q := inputs{For: parse(t, "linux/arm64"), Contexts: contextKeys(map[string]string{
		"A": "docker-image://other:v1", "docker.io/library/busybox": "store:mine:v1", "dir": "/somewhere",
	})}
	n, err := d.requirements(q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range n.Bases {
		got = append(got, b.Name+"="+b.source())
	}
	if want := "busybox:latest=store:mine:v1 a=other:v1"; strings.Join(got, " ") != want {
		t.Errorf("bases %q, want %q", got, want)
	}
	if len(n.Runs) > 0 || len(n.Secrets) > 0 {
		t.Errorf("a stage that a context takes the place of is built: %+v", n)
	}
	q.Contexts = nil
	if n, err = d.requirements(q); err != nil || checkSecrets(nil, n.Secrets) == nil ||
		checkSecrets([]Secret{{ID: "s"}}, n.Secrets) != nil {
		t.Errorf("secrets %q, %v", n.Secrets, err)
	}
}

func TestFrontendImages(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]bool{
		"docker/dockerfile": true, "docker/dockerfile:1": true, "docker.io/docker/dockerfile:1.7": true,
		"docker/dockerfile:1-labs": false, "docker/dockerfile-upstream:master": false,
		"example.com/docker/dockerfile:1": false, "///": false,
	} {
		if got := isStable(image); got != want {
			t.Errorf("%q: %v, want %v", image, got, want)
		}
	}
}

func TestCachesOfSeveralPlatforms(t *testing.T) {
	t.Parallel()
	entry := func(kind, key, value string) client.CacheOptionsEntry {
		return client.CacheOptionsEntry{Type: kind, Attrs: map[string]string{key: value}}
	}
	to := []client.CacheOptionsEntry{
		entry("registry", "ref", "h:5000/c:v1"), entry("registry", "ref", "h:5000/c"),
		entry("local", "dest", "d"),
	}
	from := []client.CacheOptionsEntry{entry("registry", "ref", "h/c:v1"), entry("local", "src", "d")}
	p, err := platform.Parse("linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	perPlatform(to, p)
	perPlatform(from, p)
	got := []string{
		to[0].Attrs["ref"], to[1].Attrs["ref"], to[2].Attrs["dest"], from[0].Attrs["ref"],
		from[1].Attrs["src"],
	}
	if want := "h:5000/c:v1-armv7 h:5000/c:armv7 d/armv7 h/c:v1-armv7 d/armv7"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if left, err := existing(append(from, entry("local", "src", t.TempDir()))); len(left) != 1 || err != nil {
		t.Errorf("a directory without a cache is read: %v, %v", left, err)
	}
	pipe := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(pipe, "index.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if left, err := existing([]client.CacheOptionsEntry{entry("local", "src", pipe)}); !errors.Is(err,
		registry.ErrContent) {
		t.Errorf("a pipe is waited for: %v, %v", left, err)
	}
}
