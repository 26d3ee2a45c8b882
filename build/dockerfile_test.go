package build

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

func TestNeeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, target string
		args               map[string]string
		triggers           map[string][]string
		bases, runs        []string
	}{
		{
			name: "plain", text: "FROM debian:12\nRUN true", bases: []string{"debian:12 linux/arm64"},
			runs: []string{"linux/arm64"},
		},
		{name: "scratch", text: "FROM scratch\nCOPY a /"},
		{
			name:  "cross compiling runs natively",
			text:  "FROM --platform=$BUILDPLATFORM golang AS b\nRUN go build\nFROM scratch\nCOPY --from=b /a /a",
			bases: []string{"golang linux/amd64"}, runs: []string{"linux/amd64"},
		},
		{
			name:  "stage chosen by architecture",
			text:  "FROM base:amd64 AS x-amd64\nRUN a\nFROM base:arm64 AS x-arm64\nFROM x-${TARGETARCH}\nLABEL a=b",
			bases: []string{"base:arm64 linux/arm64"},
		},
		{
			name:  "global arguments, defaults and overrides",
			text:  "ARG NAME=base\nARG TAG=v1\nFROM $NAME:${TAG}-$TARGETARCH$TARGETVARIANT",
			args:  map[string]string{"TAG": "v2"},
			bases: []string{"base:v2-arm64 linux/arm64"},
		},
		{
			name:   "only the target's stages",
			text:   "FROM one AS a\nRUN a\nFROM two AS b\nFROM a",
			target: "B", bases: []string{"two linux/arm64"},
		},
		{
			name:  "a stage has the platform of its base stage",
			text:  "FROM --platform=linux/s390x one AS a\nFROM a AS b\nRUN b\nFROM scratch\nCOPY --from=1 /x /x",
			bases: []string{"one linux/s390x"}, runs: []string{"linux/s390x"},
		},
		{
			name:  "images copied from or mounted have the target's platform in every stage",
			text:  "FROM --platform=linux/amd64 one\nCOPY --from=tools /x /x\nRUN --mount=from=cache,target=/c true",
			bases: []string{"one linux/amd64", "tools linux/arm64", "cache linux/arm64"}, runs: []string{"linux/amd64"},
		},
		{
			name:  "the platform in the FROM of a stage that starts from a stage is ignored",
			text:  "FROM one AS a\nFROM --platform=$BUILDPLATFORM a\nRUN b",
			bases: []string{"one linux/arm64"}, runs: []string{"linux/arm64"},
		},
		{
			name:     "ONBUILD steps of a base image",
			text:     "FROM one\nLABEL a=b",
			triggers: map[string][]string{"one linux/arm64": {"COPY --from=two /x /", "RUN y"}},
			bases:    []string{"one linux/arm64", "two linux/arm64"}, runs: []string{"linux/arm64"},
		},
		{
			name:     "ONBUILD steps of an image that is only copied from do not run",
			text:     "FROM scratch\nCOPY --from=one /x /",
			triggers: map[string][]string{"one linux/arm64": {"RUN y"}},
			bases:    []string{"one linux/arm64"},
		},
		{
			name:     "ONBUILD steps of a stage run in the stages that start from it, those of its base in itself",
			text:     "FROM --platform=linux/s390x one AS a\nONBUILD RUN --mount=from=three,target=/t x\nFROM a",
			triggers: map[string][]string{"one linux/s390x": {"COPY --from=two /x /"}},
			bases:    []string{"one linux/s390x", "two linux/arm64", "three linux/arm64"}, runs: []string{"linux/s390x"},
		},
		{
			name: "here-documents", text: "FROM one\nCOPY <<EOF /x\nRUN no\nEOF\nLABEL a=b",
			bases: []string{"one linux/arm64"},
		},
		{
			name: "here-document that runs", text: "FROM one\nRUN <<EOF\nFROM no\nEOF",
			bases: []string{"one linux/arm64"}, runs: []string{"linux/arm64"},
		},
		{
			name: "an image named twice", text: "FROM one AS a\nFROM one\nCOPY --from=a /x /",
			bases: []string{"one linux/arm64"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := parseDockerfile([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			n, err := d.requirements(inputs{
				Target: c.target, For: parse(t, "linux/arm64"),
				BuildMachine: parse(t, "linux/amd64"), BuildArgs: c.args, Triggers: c.triggers,
			})
			if err != nil {
				t.Fatal(err)
			}
			var bases, runs []string
			for _, b := range n.Bases {
				bases = append(bases, b.Name+" "+platform.Format(b.Platform))
			}
			for _, r := range n.Runs {
				runs = append(runs, platform.Format(r))
			}
			if !reflect.DeepEqual(bases, c.bases) || !reflect.DeepEqual(runs, c.runs) {
				t.Errorf("bases %q, runs %q\nwant  %q, runs %q", bases, runs, c.bases, c.runs)
			}
		})
	}
}

func TestNeedsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, target string }{
		"no such target": {"FROM a AS b", "c"},
		"platform":       {"FROM --platform=linux/arm46 a", ""},
		"expansion":      {"FROM ${a", ""},
	} {
		d, err := parseDockerfile([]byte(c.text))
		if err == nil {
			_, err = d.requirements(inputs{Target: c.target, For: parse(t, "linux/arm64")})
		}
		if !errors.Is(err, registry.ErrUsage) {
			t.Errorf("%s: got %v, want registry.ErrUsage", name, err)
		}
	}
	for _, text := range []string{"", "# nothing\n", "RUN before from", "FROM a\nNONSENSE"} {
		if _, err := parseDockerfile([]byte(text)); err == nil {
			t.Errorf("%q was parsed", text)
		}
	}
}

func TestStageNames(t *testing.T) {
	t.Parallel()
	d, err := parseDockerfile([]byte("FROM --platform=linux/amd64 a AS build\nRUN x\nFROM b\nCOPY --from=build /x /"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := d.requirements(inputs{For: parse(t, "linux/arm64")})
	if err != nil {
		t.Fatal(err)
	}
	s := solve{requirements: n, target: parse(t, "linux/arm64")}
	for step, want := range map[string]string{
		"[build 2/2] RUN x": "linux/amd64", "[stage-1 2/2] COPY": "linux/arm64", "[2/3] RUN y": "linux/arm64",
		"exporting": "linux/arm64",
	} {
		if got := platform.Format(s.platformOf(step)); got != want {
			t.Errorf("%s is %s, want %s", step, got, want)
		}
	}
	if got := slices.Sorted(maps.Keys(n.Stages)); !slices.Equal(got, []string{"build", "stage-1"}) {
		t.Errorf("stages %v", got)
	}
}

func parse(t *testing.T, s string) v1.Platform {
	t.Helper()
	p, err := platform.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
