package app

import (
	"errors"
	"slices"
	"testing"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
)

// parsed parses the names and fails the test if one is invalid.
func parsed(t *testing.T, names ...string) []registry.Ref {
	t.Helper()
	var refs []registry.Ref
	for _, name := range names {
		ref, err := registry.ParseRef(name)
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	return refs
}

func formatted(refs []registry.Ref) []string {
	var all []string
	for _, ref := range refs {
		all = append(all, ref.String())
	}
	return all
}

func TestTargets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		list string
		push bool
		to   []string
		want []string
	}{
		"a draft":                  {"demo:v1", false, nil, nil},
		"a draft, with a registry": {"r.example/demo:v1", false, nil, nil},
		"pushed":                   {"r.example/demo:v1", true, nil, []string{"r.example/demo:v1"}},
		"pushed under a bare name": {"demo:v1", true, nil, nil}, // refused
		"a bare name and a target": {"demo:v1", false, []string{"r.example/a:1"}, []string{"r.example/a:1"}},
		"a registry name, and To": {"r.example/b:1", false, []string{"r.example/a:1"}, []string{
			"r.example/b:1", "r.example/a:1",
		}},
		"pushed, and to a file": {"r.example/b:1", true, []string{"oci:dir"}, []string{
			"r.example/b:1", "oci:dir",
		}},
	} {
		o := CreateOptions{List: parsed(t, tt.list)[0], Push: tt.push, To: parsed(t, tt.to...)}
		got, err := names{}.targetsOf(t.Context(), &o)
		if tt.push && o.List.Bare {
			if !errors.Is(err, registry.ErrName) {
				t.Errorf("%s: got %q, %v", name, formatted(got), err)
			}
		} else if err != nil || !slices.Equal(formatted(got), tt.want) {
			t.Errorf("%s: got %q, %v, want %q", name, formatted(got), err, tt.want)
		}
	}
}

// Options that only publishing can honour are refused for a draft, not ignored.
func TestDraftOptions(t *testing.T) {
	t.Parallel()
	list := parsed(t, "demo:v1")[0]
	for name, tt := range map[string]struct {
		options CreateOptions
		refused bool
	}{
		"none":           {CreateOptions{}, false},
		"dry run":        {CreateOptions{PublishOptions: PublishOptions{DryRun: true}}, false},
		"attestations":   {CreateOptions{EditOptions: EditOptions{Attestations: "drop"}}, false},
		"referrers":      {CreateOptions{EditOptions: EditOptions{Attestations: attestationsAsReferrers}}, true},
		"confirm":        {CreateOptions{PublishOptions: PublishOptions{Confirm: true}}, true},
		"no clobber":     {CreateOptions{PublishOptions: PublishOptions{NoClobber: true}}, true},
		"by digest":      {CreateOptions{PublishOptions: PublishOptions{ByDigest: true}}, true},
		"tags of images": {CreateOptions{PublishOptions: PublishOptions{KeepChildTags: "x"}}, true},
	} {
		tt.options.List = list
		if err := tt.options.checkDraft(); errors.Is(err, registry.ErrUsage) != tt.refused {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// While sources are read, only content of the new list is uploaded, and nothing in a dry run.
func TestEarlyUploads(t *testing.T) {
	t.Parallel()
	attestation := compose.Entry{}.Descriptor
	attestation.Annotations = map[string]string{
		"vnd.docker.reference.type":   "attestation-manifest",
		"vnd.docker.reference.digest": "sha256:4111df81f2d5e3a4d7c2b1a0998877665544332211ffeeddccbbaa0099887766",
	}
	push := names{}.publisher(publish.Compression{}).Start(t.Context(), nil)
	defer push.Close()
	if r := (CreateOptions{}).reading(push); r.push != push || r.wanted != nil {
		t.Errorf("got %+v, want everything", r)
	}
	if r := (CreateOptions{PublishOptions: PublishOptions{DryRun: true}}).reading(push); r.push != nil {
		t.Error("a dry run uploads")
	}
	drop := CreateOptions{EditOptions: EditOptions{Attestations: string(compose.DropAttestations)}}.reading(push)
	if drop.wanted(attestation) || !drop.wanted(compose.Entry{}.Descriptor) {
		t.Error("dropped attestations are uploaded, or images are not")
	}
}
