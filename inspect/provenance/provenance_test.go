package provenance_test

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/inspect/provenance"
	"mtool/registry"
	"mtool/registry/registrytest"
)

const (
	slsa02 = "https://slsa.dev/provenance/v0.2"
	slsa1  = "https://slsa.dev/provenance/v1"
	spdx   = "https://spdx.dev/Document"
)

// says is what a statement states; the zero value states nothing.
type says struct {
	name, subject   string // "" is the image's digest
	stated          string // the predicate type in the statement; "" is the one in its row
	asked, on, body string
	from            string // the platform of the base image; "" is the image's own
	config          string // every operation, in JSON; "" with mode=min
}

func predicate02(asked, on string) string {
	return fmt.Sprintf(`{"builder":{"id":"b"},"buildType":"https://mobyproject.org/buildkit@v1","materials":[{"uri":"pkg:docker/alpine@3?platform=linux%%2Farm64"}],
"invocation":{"configSource":{},"parameters":{"frontend":"dockerfile.v0","args":{"platform":"%s"}},"environment":{"platform":"%s"}}}`, asked, on)
}

func predicate1(asked, on string) string {
	return fmt.Sprintf(`{"buildDefinition":{"buildType":"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
"externalParameters":{"request":{"args":{"platform":"%s"}}},"internalParameters":{"builderPlatform":"%s"},"resolvedDependencies":[{"uri":"pkg:docker/alpine@3?platform=linux%%2Farm64"}]},
"runDetails":{"builder":{"id":"b"}}}`, asked, on)
}

// attested returns an image with one statement as BuildKit attaches it.
func attested(t *testing.T, name, kind string, s says) inspect.Image {
	t.Helper()
	p, err := platform.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	image := registrytest.Image(registrytest.ImageSpec{Platform: p})
	subject := s.subject
	if subject == "" {
		subject = image.Digest().Hex
	}
	predicate := predicate1(s.asked, s.on)
	if kind == slsa02 {
		predicate = predicate02(s.asked, s.on)
	}
	predicate = strings.Replace(predicate, "linux%2Farm64", url.QueryEscape(cmp.Or(s.from, name)), 1)
	if s.config != "" {
		predicate = strings.Replace(predicate, `"invocation":`, `"buildConfig":`+s.config+`,"invocation":`, 1)
		predicate = strings.Replace(predicate, `"internalParameters":{`,
			`"internalParameters":{"buildConfig":`+s.config+`,`, 1)
	}
	stated := s.stated
	if stated == "" {
		stated = kind
	}
	body := fmt.Sprintf(
		`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"%s","subject":[{"name":"%s","digest":{"sha256":"%s"}}],"predicate":%s}`, stated, s.name, subject, predicate)
	if s.body != "" {
		body = strings.ReplaceAll(s.body, "SLSA", kind)
	}
	artifact := registrytest.Artifact(registrytest.ArtifactSpec{Layers: []registrytest.ArtifactLayer{
		{
			MediaType: "application/vnd.in-toto+json", Annotations: map[string]string{"in-toto.io/predicate-type": kind},
			Data: []byte(body),
		},
	}})
	list := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: image},
		{Built: artifact, Claim: &v1.Platform{OS: "unknown", Architecture: "unknown"}, Annotations: map[string]string{
			"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest().String(),
		}},
	}})
	report, err := inspect.Read(t.Context(),
		list.Object(registry.Ref{Transport: registry.TransportRegistry, Host: "r.example", Repo: "demo", Tag: "v1"}))
	if err != nil || len(report.Images) != 1 || len(report.Images[0].Attestations) != 1 {
		t.Fatalf("reading the fixture: %v, %+v", err, report)
	}
	return report.Images[0]
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		image string
		says
		want  inspect.State // "": no finding
		words string
	}{
		"right":             {"linux/arm64", says{asked: "linux/arm64", on: "linux/arm64"}, "", ""},
		"one of several":    {"linux/arm64", says{asked: "linux/amd64,linux/arm64", on: "linux/arm64"}, "", ""},
		"spelled otherwise": {"linux/arm64", says{asked: "linux/arm64/v8", on: "linux/aarch64"}, "", ""},
		"says nothing":      {"linux/arm64", says{}, "", ""},
		"cross": {
			"linux/arm64",
			says{asked: "linux/arm64", on: "linux/amd64"},
			inspect.Note,
			"built on linux/amd64, so cross-compiled or emulated",
		},
		"another platform": {
			"linux/arm64",
			says{asked: "linux/amd64", on: "linux/arm64"},
			inspect.Mismatch,
			"its provenance says that it was built for linux/amd64",
		},
		"another variant": {
			"linux/arm/v6",
			says{asked: "linux/arm/v7", on: "linux/arm/v6"},
			inspect.Mismatch,
			"says that it was built for linux/arm/v7",
		},
		"level left out": {"linux/amd64/v3", says{asked: "linux/amd64", on: "linux/amd64"}, "", ""},
		"named otherwise": {
			"linux/arm64",
			says{name: "pkg:docker/demo@v1?platform=linux%2Famd64"},
			inspect.Mismatch,
			"its provenance is about pkg:docker/demo@v1?platform=linux%2Famd64",
		},
		"named": {"linux/arm64", says{name: "pkg:docker/demo@v1?platform=linux%2Farm64"}, "", ""},
		"another image": {
			"linux/arm64",
			says{subject: strings.Repeat("0", 64)},
			inspect.Mismatch,
			"its provenance is about another image",
		},
		"no subject": {"linux/arm64", says{stated: slsa1, body: `{"predicateType":"SLSA","predicate":{}}`}, "", ""},
		"garbage":    {"linux/arm64", says{body: "garbage"}, inspect.Mismatch, "it is not an in-toto statement"},
		"other JSON": {"linux/arm64", says{body: "{}"}, inspect.Mismatch, "it has no predicate type"},
		"predicate is wrong": {
			"linux/arm64",
			says{body: `{"predicateType":"` + slsa1 + `","predicate":[]}`},
			inspect.Mismatch, "its predicate can't be read",
		},
		"says another type": {"linux/arm64", says{stated: spdx}, inspect.Mismatch, "names itself https://spdx.dev/Document"},
	} {
		for _, kind := range []string{slsa02, slsa1} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				img := attested(t, c.image, kind, c.says)
				findings := provenance.Judge(img, provenance.Read(t.Context(), img, provenance.Provenance))
				if c.want == "" {
					if len(findings) != 0 {
						t.Errorf("got %+v", findings)
					}
					return
				}
				said := func(f inspect.Finding) bool { return f.State == c.want && strings.Contains(f.Message, c.words) }
				if !slices.ContainsFunc(findings, said) {
					t.Errorf("got %+v, want %s: %s", findings, c.want, c.words)
				}
			})
		}
	}
}

func TestNoProvenance(t *testing.T) {
	t.Parallel()
	img := attested(t, "linux/arm64", spdx, says{})
	if got := provenance.Read(t.Context(), img, provenance.Provenance); got != nil {
		t.Errorf("read %+v", got)
	}
	f := provenance.Judge(img, nil)
	if len(f) != 1 || f[0].State != inspect.Note || f[0].Rule != provenance.RuleNone {
		t.Errorf("got %+v", f)
	}
	if inspect.Strictly(f, provenance.Rules()); f[0].State != inspect.Mismatch {
		t.Errorf("strictly: %+v", f)
	}
	if got := provenance.Read(t.Context(), img, provenance.SBOM); len(got) != 1 || got[0].Err != nil ||
		got[0].Type != spdx {
		t.Errorf("SBOM: %+v", got)
	}
}

// TestAltered ignores a statement whose bytes do not match their digest.
func TestAltered(t *testing.T) {
	t.Parallel()
	img := attested(t, "linux/arm64", slsa1, says{})
	img.Attestations[0].Source = registrytest.Built{}.Source() // it has nothing
	f := provenance.Judge(img, provenance.Read(t.Context(), img, provenance.Provenance))
	if len(f) != 1 || f[0].State != inspect.Mismatch {
		t.Errorf("got %+v", f)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for predicate, want := range map[string]string{
		slsa1: "SLSA provenance v1", slsa02: "SLSA provenance v0.2", spdx: "SPDX SBOM", spdx + "/v2.3": "SPDX SBOM v2.3",
		"https://example.com/x": "https://example.com/x",
	} {
		if got := provenance.Words(predicate); got != want {
			t.Errorf("%s: %q, want %q", predicate, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"predicateType":"` + slsa1 +
		`","subject":[{"name":"pkg:docker/x?platform=linux%2Farm64","digest":{"sha256":"00"}}],"predicate":` +
		predicate1("linux/arm64", "linux/amd64") + `}`))
	f.Add([]byte(`{"predicateType":"` + slsa02 + `","predicate":` + predicate02("linux/arm64", "linux/amd64") + `}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		s, err := provenance.Parse(data)
		if err != nil {
			return
		}
		s.Statement.Predicate = slsa1
		_, _ = s.Build()
		provenance.Judge(inspect.Image{}, []provenance.Statement{s})
	})
}
