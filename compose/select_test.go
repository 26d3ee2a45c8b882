package compose_test

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func describe(es []compose.Entry) string {
	var all []string
	for _, e := range es {
		s := "-"
		if p := e.Descriptor.Platform; p != nil {
			s = p.String()
		}
		all = append(all, s+strings.Repeat("+", len(e.Attestations)))
	}
	return strings.Join(all, " ")
}

func TestFromReport(t *testing.T) {
	t.Parallel()
	attested := registrytest.List(registrytest.ListSpec{
		Entries: []registrytest.Entry{{Built: image("amd64")}, {Built: image("arm/v7")}}, Attested: true,
	})
	nested := registrytest.ListOf(attested, registrytest.ListOf(registrytest.ListOf(image("s390x"))))
	arm64 := linux("arm64", "")
	v6, armBare := linux("arm", "v6"), registrytest.Image(registrytest.ImageSpec{Platform: linux("arm", "")})
	tests := []struct {
		name    string
		source  registrytest.Built
		options compose.SelectOptions
		want    string
		note    string
		err     error
		words   string
	}{
		{name: "single", source: image("arm64/v8"), want: "linux/arm64/v8"},
		{name: "list with attestations", source: attested, want: "linux/amd64+ linux/arm/v7+",
			note: `is a list: 2 images (linux/amd64, linux/arm/v7) with 2 attestations, flattened`},
		{name: "attestations dropped", source: attested, options: compose.SelectOptions{Attestations: compose.DropAttestations},
			want: "linux/amd64 linux/arm/v7", note: "dropped: 2 attestations"},
		{name: "nested", source: nested, want: "linux/amd64+ linux/arm/v7+ linux/s390x", note: "lists within lists"},
		{name: "platform", source: nested, options: compose.SelectOptions{Platforms: []v1.Platform{linux("arm", "")}},
			want: "linux/arm/v7+"},
		{name: "no match", source: nested, options: compose.SelectOptions{Platforms: []v1.Platform{linux("mips", "")}},
			err: compose.ErrNoMatch, words: "linux/mips"},
		{name: "no match is never the other one", source: image("arm64"),
			options: compose.SelectOptions{Platforms: []v1.Platform{linux("amd64", "")}}, err: compose.ErrNoMatch, words: "it has linux/arm64"},
		{name: "row without platform", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: image("arm64/v8"), NoPlatform: true}}}), want: "linux/arm64/v8", note: "its config says linux/arm64"},
		{name: "row that lies", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: image("amd64"), Claim: &arm64}}}), err: compose.ErrPlatform, words: "the row says linux/arm64, the config linux/amd64"},
		{name: "row that lies, forced", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: image("amd64"), Claim: &arm64}}}), options: compose.SelectOptions{Force: true}, want: "linux/arm64", note: "forced"},
		{name: "row that adds a variant", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: armBare, Claim: &v6}}}), want: "linux/arm/v6"},
		{name: "list around the row lies", source: registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
			{Built: registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image("amd64"), NoPlatform: true}}}), Claim: &arm64}}}),
			err: compose.ErrPlatform, words: "linux/arm64"},
		{name: "only the list around the row says it", source: registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
			{Built: registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: armBare, NoPlatform: true}}}), Claim: &v6}}}),
			want: "linux/arm/v6"},
		{name: "no platform at all", source: registrytest.Image(registrytest.ImageSpec{}), err: compose.ErrPlatform, words: "neither"},
		{name: "no platform at all, forced", source: registrytest.Image(registrytest.ImageSpec{}),
			options: compose.SelectOptions{Force: true}, want: "-", note: "forced"},
		{name: "unknown architecture", source: registrytest.Image(registrytest.ImageSpec{Platform: linux("arm46", "")}),
			err: compose.ErrPlatform, words: "arm46"},
		{name: "unknown variant", source: registrytest.Image(registrytest.ImageSpec{Platform: linux("amd64", "v8")}),
			err: compose.ErrPlatform, words: "v8"},
		{name: "missing child", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: image("amd64")}, {Built: image("arm64"), Missing: true}}}),
			err: registry.ErrNotFound, words: "linux/arm64"},
		{name: "missing child not asked for", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: image("amd64")}, {Built: image("arm64"), Missing: true}}}),
			options: compose.SelectOptions{Platforms: []v1.Platform{linux("amd64", "")}}, want: "linux/amd64"},
		{name: "orphan attestation", source: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: image("amd64")}, registrytest.Attestation(image("arm64").Manifest)}}),
			want: "linux/amd64", note: "left out: attestation"},
		{name: "empty list", source: registrytest.List(registrytest.ListSpec{}), err: compose.ErrEmpty, words: "it has none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entries, notes, err := compose.FromReport(read(t, tt.source, "demo:src"), tt.options)
			if tt.err != nil {
				wantError(t, err, tt.err, "demo:src", tt.words)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(entries); got != tt.want {
				t.Errorf("got entries %q, want %q", got, tt.want)
			}
			if all := strings.Join(notes, "\n"); !strings.Contains(all, tt.note) || tt.note == "" && all != "" && tt.source.Manifest.IsImage() {
				t.Errorf("got notes %q, want %q", all, tt.note)
			}
		})
	}
}

// A source is told in the entries as the user told it, and found where it was.
func TestFromReportSaysWhere(t *testing.T) {
	t.Parallel()
	b := image("amd64")
	r := read(t, b, "store:demo:amd")
	entries, _, err := compose.FromReports([]compose.Told{{Ref: ref(t, "demo:amd"), Report: r}}, compose.SelectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	if e.Source != ref(t, "demo:amd") || e.Origin != registry.TransportStore || e.SourceDigest != b.Digest() || e.Config.Architecture != "amd64" {
		t.Errorf("got %+v", e)
	}
	got := compose.Change{Action: compose.Added, Entry: e}.String()
	want := "linux/amd64: added " + b.Digest().String() + ", from store:docker.io/library/demo:amd"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFromReports(t *testing.T) {
	t.Parallel()
	amd, arm := told(t, image("amd64"), "demo:amd"), told(t, image("arm64"), "demo:arm")
	both := []compose.Told{amd, arm}

	entries, notes, err := compose.FromReports(both, compose.SelectOptions{Platforms: []v1.Platform{linux("arm64", "")}})
	if err != nil || describe(entries) != "linux/arm64" || !strings.Contains(strings.Join(notes, "\n"), "it has linux/amd64") {
		t.Errorf("got %q, %q, %v, want the one that matches, and a note of the other", describe(entries), notes, err)
	}
	_, _, err = compose.FromReports(both, compose.SelectOptions{Platforms: []v1.Platform{linux("arm64", ""), linux("s390x", "")}})
	wantError(t, err, compose.ErrNoMatch, "linux/s390x")
	_, _, err = compose.FromReports(both, compose.SelectOptions{Platforms: []v1.Platform{linux("s390x", "")}})
	wantError(t, err, compose.ErrNoMatch, "demo:amd", "demo:arm")
	_, _, err = compose.FromReports(nil, compose.SelectOptions{})
	wantError(t, err, compose.ErrEmpty)
	lie := linux("arm64", "")
	liar := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image("amd64"), Claim: &lie}}})
	_, _, err = compose.FromReports([]compose.Told{told(t, liar, "demo:liar"), amd}, compose.SelectOptions{})
	wantError(t, err, compose.ErrPlatform, "demo:liar")
}

func TestArtifactsAreKept(t *testing.T) {
	t.Parallel()
	chart := registrytest.Image(registrytest.ImageSpec{})
	b := registrytest.ListOf(image("amd64"), chart)
	body := strings.Replace(string(b.Manifest.Body), `"digest":"`+chart.Digest().String()+`"`,
		`"digest":"`+chart.Digest().String()+`","artifactType":"application/vnd.example.chart"`, 1)
	r := published(t, b, body, "demo:src")
	entries, _, err := compose.FromReport(r, compose.SelectOptions{})
	if err != nil || !slices.ContainsFunc(entries, func(e compose.Entry) bool { return e.Artifact }) {
		t.Fatalf("got %q, %v, want the artifact among them", describe(entries), err)
	}
	entries, notes, err := compose.FromReport(r, compose.SelectOptions{Platforms: []v1.Platform{linux("amd64", "")}})
	if err != nil || len(entries) != 1 || !strings.Contains(strings.Join(notes, "\n"), "left out: artifact") {
		t.Errorf("got %q, %q, %v, want the artifact left out, said", describe(entries), notes, err)
	}
}
