package compose_test

import (
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

// rowsOf returns a list of the rows.
func rowsOf(rows ...registrytest.Entry) registrytest.Built {
	return registrytest.List(registrytest.ListSpec{Entries: rows})
}

func platforms(ps ...v1.Platform) compose.SelectOptions { return compose.SelectOptions{Platforms: ps} }

func TestFromReport(t *testing.T) {
	t.Parallel()
	list := attested(image("amd64"), image("arm/v7"))
	nested := registrytest.ListOf(list, registrytest.ListOf(registrytest.ListOf(image("s390x"))))
	v6, arm64 := linux("arm", "v6"), linux("arm64", "")
	bareArm := registrytest.Image(registrytest.ImageSpec{Platform: linux("arm", "")})
	liar := rowsOf(registrytest.Entry{Built: image("amd64"), Claim: &arm64})
	broken := rowsOf(registrytest.Entry{Built: image("amd64")}, registrytest.Entry{Built: image("arm64"), Missing: true})
	orphaned := rowsOf(registrytest.Entry{Built: image("amd64")}, registrytest.Attestation(image("arm64").Manifest))
	force := compose.SelectOptions{Force: true}
	tests := []struct {
		name    string
		source  registrytest.Built
		options compose.SelectOptions
		want    string
		note    string
	}{
		{"single", image("arm64/v8"), compose.SelectOptions{}, "linux/arm64/v8", ""},
		{
			"list with attestations", list,
			compose.SelectOptions{},
			"linux/amd64+ linux/arm/v7+",
			`is a list: 2 images (linux/amd64, linux/arm/v7) with 2 attestations, flattened`,
		},
		{
			"attestations dropped", list,
			compose.SelectOptions{Attestations: compose.DropAttestations},
			"linux/amd64 linux/arm/v7", "dropped: 2 attestations",
		},
		{"nested", nested, compose.SelectOptions{}, "linux/amd64+ linux/arm/v7+ linux/s390x", "lists within lists"},
		{"platform", nested, platforms(linux("arm", "")), "linux/arm/v7+", "1 image"},
		{
			"row without platform", rowsOf(registrytest.Entry{Built: image("arm64/v8"), NoPlatform: true}),
			compose.SelectOptions{},
			"linux/arm64/v8", "its config says linux/arm64",
		},
		{
			"row that adds a variant", rowsOf(registrytest.Entry{Built: bareArm, Claim: &v6}),
			compose.SelectOptions{},
			"linux/arm/v6", "1 image",
		},
		{"platform in the outer list only", rowsOf(registrytest.Entry{
			Built: rowsOf(registrytest.Entry{Built: bareArm, NoPlatform: true}), Claim: &v6,
		}), compose.SelectOptions{}, "linux/arm/v6", "lists within lists"},
		{"lying row, forced", liar, force, "linux/arm64", "forced"},
		{"no platform at all, forced", registrytest.Image(registrytest.ImageSpec{}), force, "-", "forced"},
		{"missing child, not selected", broken, platforms(linux("amd64", "")), "linux/amd64", "1 image"},
		{"orphan attestation", orphaned, compose.SelectOptions{}, "linux/amd64", "left out: attestation"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entries, notes, err := compose.FromReport(read(t, tt.source, "demo:src"), tt.options)
			if err != nil || describe(entries) != tt.want {
				t.Fatalf("got entries %q, %v, want %q", describe(entries), err, tt.want)
			}
			all := strings.Join(notes, "\n")
			if !strings.Contains(all, tt.note) || (tt.note == "") != (all == "") {
				t.Errorf("got notes %q, want %q", all, tt.note)
			}
		})
	}
}

func TestFromReportRefuses(t *testing.T) {
	t.Parallel()
	arm64 := linux("arm64", "")
	tests := []struct {
		name    string
		source  registrytest.Built
		options compose.SelectOptions
		err     error
		words   string
	}{
		{"no match", registrytest.ListOf(image("amd64")), platforms(linux("mips", "")), compose.ErrNoMatch, "linux/mips"},
		{"single image of another platform", image("arm64"), platforms(linux("amd64", "")), compose.ErrNoMatch, "it has linux/arm64"},
		{
			"lying row", rowsOf(registrytest.Entry{Built: image("amd64"), Claim: &arm64}),
			compose.SelectOptions{},
			compose.ErrPlatform, "the row says linux/arm64, the config linux/amd64",
		},
		{"lying row of an outer list", rowsOf(registrytest.Entry{
			Built: rowsOf(registrytest.Entry{Built: image("amd64"), NoPlatform: true}), Claim: &arm64,
		}), compose.SelectOptions{}, compose.ErrPlatform, "linux/arm64"},
		{
			"no platform at all", registrytest.Image(registrytest.ImageSpec{}),
			compose.SelectOptions{},
			compose.ErrPlatform,
			"neither",
		},
		{
			"unknown architecture", registrytest.Image(registrytest.ImageSpec{Platform: linux("arm46", "")}),
			compose.SelectOptions{},
			compose.ErrPlatform, "arm46",
		},
		{
			"unknown variant", registrytest.Image(registrytest.ImageSpec{Platform: linux("amd64", "v8")}),
			compose.SelectOptions{},
			compose.ErrPlatform, "v8",
		},
		{
			"missing child",
			rowsOf(registrytest.Entry{Built: image("amd64")}, registrytest.Entry{Built: image("arm64"), Missing: true}),
			compose.SelectOptions{},
			registry.ErrNotFound, "linux/arm64",
		},
		{"empty list", rowsOf(), compose.SelectOptions{}, compose.ErrEmpty, "it has none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entries, _, err := compose.FromReport(read(t, tt.source, "demo:src"), tt.options)
			wantError(t, err, tt.err, "demo:src", tt.words)
			if len(entries) > 0 {
				t.Errorf("got entries %q with an error", describe(entries))
			}
		})
	}
}

// An entry keeps the name of its source as typed, and the transport where the source was found.
func TestFromReportKeepsNameAndOrigin(t *testing.T) {
	t.Parallel()
	b := image("amd64")
	r := read(t, b, "store:demo:amd")
	entries, _, err := compose.FromReports([]compose.Source{{Ref: ref(t, "demo:amd"), Report: r}}, compose.SelectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	if e.Source != ref(t, "demo:amd") || e.Origin != registry.TransportStore || e.SourceDigest != b.Digest() ||
		e.Config.Architecture != "amd64" {
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
	amd, arm := sourceOf(t, image("amd64"), "demo:amd"), sourceOf(t, image("arm64"), "demo:arm")
	both := []compose.Source{amd, arm}

	entries, notes, err := compose.FromReports(both, compose.SelectOptions{Platforms: []v1.Platform{linux("arm64", "")}})
	if err != nil || describe(entries) != "linux/arm64" ||
		!strings.Contains(strings.Join(notes, "\n"), "it has linux/amd64") {
		t.Errorf("got %q, %q, %v, want the entry that matches, and a note about the other", describe(entries), notes, err)
	}
	_, _, err = compose.FromReports(both,
		compose.SelectOptions{Platforms: []v1.Platform{linux("arm64", ""), linux("s390x", "")}})
	wantError(t, err, compose.ErrNoMatch, "linux/s390x")
	_, _, err = compose.FromReports(both, compose.SelectOptions{Platforms: []v1.Platform{linux("s390x", "")}})
	wantError(t, err, compose.ErrNoMatch, "demo:amd", "demo:arm")
	_, _, err = compose.FromReports(nil, compose.SelectOptions{})
	wantError(t, err, compose.ErrEmpty)
	lie := linux("arm64", "")
	liar := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image("amd64"), Claim: &lie}}})
	_, _, err = compose.FromReports([]compose.Source{sourceOf(t, liar, "demo:liar"), amd}, compose.SelectOptions{})
	wantError(t, err, compose.ErrPlatform, "demo:liar")
}

func TestArtifactsAreKept(t *testing.T) {
	t.Parallel()
	chart := registrytest.Artifact(registrytest.ArtifactSpec{Type: "application/vnd.example.chart"})
	b := registrytest.ListOf(image("amd64"), chart)
	body := strings.Replace(string(b.Manifest.Body), `"digest":"`+chart.Digest().String()+`"`,
		`"digest":"`+chart.Digest().String()+`","artifactType":"application/vnd.example.chart"`, 1)
	source := compose.Source{Ref: ref(t, "demo:src"), Report: published(t, b, body, "demo:src")}
	entries, notes, err := compose.FromReport(source.Report,
		compose.SelectOptions{Platforms: []v1.Platform{linux("amd64", "")}})
	if err != nil || len(entries) != 1 || !strings.Contains(strings.Join(notes, "\n"), "left out: artifact") {
		t.Errorf("got %q, %q, %v, want the artifact left out, and a note", describe(entries), notes, err)
	}
	l := list(t, "demo:v1", source)
	if len(l.Entries) != 2 || !l.Entries[1].Artifact || len(l.Platforms()) != 1 {
		t.Fatalf("got %q, want the artifact too", describe(l.Entries))
	}
	resolved, err := stored(l).Resolve(reports(source))
	if err != nil || !equal(resolved, l) {
		t.Errorf("resolving an artifact: %v", err)
	}
	plan, err := compose.NewPlan(resolved, refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if got := sketch(plan.Uploads[0]); got != "r.example/demo [v1] 0+3 blobs, 2 children" {
		t.Errorf("got %q", got)
	}
	again, _, err := l.Add(l.Entries[1:], compose.AddOptions{})
	if err != nil || len(again.Entries) != 2 {
		t.Errorf("adding an artifact twice: got %q, %v", describe(again.Entries), err)
	}
}
