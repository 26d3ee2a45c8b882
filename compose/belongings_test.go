package compose_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry/registrytest"
)

// withSOCI returns a list of images and the SOCI index of each.
func withSOCI(images ...registrytest.Built) registrytest.Built {
	var s registrytest.ListSpec
	for _, b := range images {
		s.Entries = append(s.Entries, registrytest.Entry{Built: b})
	}
	for _, b := range images {
		s.Entries = append(s.Entries, registrytest.SOCI(b))
	}
	return registrytest.List(s)
}

// withZstdTwins returns a list with an image of each architecture and its zstd twin.
func withZstdTwins(arches ...string) registrytest.Built {
	var s registrytest.ListSpec
	for _, arch := range arches {
		s.Entries = append(s.Entries, registrytest.Entry{Built: seeded(arch, "", "a")}, registrytest.Entry{
			Built: repacked(arch, "a"), Annotations: map[string]string{"io.github.containers.compression.zstd": "true"},
		})
	}
	return registrytest.List(s)
}

// checkList fails the test if inspect has a finding or a note about the list as it would be written.
func checkList(t *testing.T, l compose.List) {
	t.Helper()
	o, err := l.Object()
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Read(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	findings := inspect.Check(r, inspect.CheckOptions{})
	if err := inspect.Failed(findings); err != nil {
		t.Errorf("checking the list: %v", err)
	}
	for _, f := range findings {
		if f.State == inspect.Note {
			t.Errorf("checking the list: note %q", f.Message)
		}
	}
}

func TestArtifactsMoveWithTheirImage(t *testing.T) {
	t.Parallel()
	amd64, arm64 := image("amd64"), image("arm64")
	l := list(t, "demo:v1", sourceOf(t, withSOCI(amd64), "demo:amd"), sourceOf(t, withSOCI(arm64), "demo:arm"))
	if len(l.Entries) != 2 || len(l.Entries[0].Attestations) != 1 || len(l.Entries[1].Attestations) != 1 {
		t.Fatalf("got %q, want two images with an artifact each", describe(l.Entries))
	}
	checkList(t, l)

	amended, changes, err := l.Replace(entriesOf(t, seeded("amd64", "", "new"), "demo:new"), compose.AddOptions{})
	if err != nil || actions(changes) != "replaced" || len(amended.Entries[0].Attestations) != 0 {
		t.Errorf("amend: got %q, %v", changes, err)
	}
	checkList(t, amended)

	left, changes, err := l.Remove("linux/arm64")
	if err != nil || len(left.Entries) != 1 || !strings.Contains(changes[0].String(), "with 1 artifact") {
		t.Errorf("remove: got %q, %v", changes, err)
	}
	checkList(t, left)

	v3, _, err := l.Annotate("linux/amd64", compose.Edit{Variant: "v3", Force: true})
	if err != nil || v3.Entries[0].Attestations[0].Platform().Variant != "v3" {
		t.Errorf("annotate: got %+v, %v", v3.Entries, err)
	}

	report := read(t, withSOCI(amd64, arm64), "demo:both")
	some, notes, err := compose.FromReport(report, compose.SelectOptions{Platforms: []v1.Platform{linux("amd64", "")}})
	if err != nil || len(some) != 1 || len(some[0].Attestations) != 1 ||
		strings.Contains(strings.Join(notes, "\n"), "left out") {
		t.Errorf("one platform: got %q, %q, %v", describe(some), notes, err)
	}
	published, _, err := compose.FromPublished(report)
	if err != nil || len(published.Entries) != 2 {
		t.Fatal(describe(published.Entries), err)
	}
	checkList(t, published)
	if same := encode(t, published); same.Digest != report.Root.Digest {
		t.Errorf("an edit that changes nothing gives %s, want %s", same.Digest, report.Root.Digest)
	}
}

// An artifact never replaces an image, and a list that loses only its artifacts drops no platform.
func TestArtifactsAreNotPlatforms(t *testing.T) {
	t.Parallel()
	amd64 := image("amd64")
	only := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{registrytest.SOCI(amd64)}})
	artifacts := list(t, "demo:v1", sourceOf(t, only, "demo:soci"))
	images := list(t, "demo:v1", sourceOf(t, amd64, "demo:amd"))
	if dropped := compose.Dropped(images, artifacts); len(dropped) != 1 {
		t.Errorf("got %q, want the image dropped", dropped)
	}
	if dropped := compose.Dropped(list(t, "demo:v1", sourceOf(t, withSOCI(amd64), "demo:a")), images); len(dropped) != 0 {
		t.Errorf("the artifact counts as a platform: %q", dropped)
	}
	both, _, err := images.Replace(artifacts.Entries, compose.AddOptions{})
	if err != nil || both.Entries[0].Digest() != amd64.Digest() {
		t.Errorf("got %q, %v", describe(both.Entries), err)
	}
}

func TestCompressionTwinsMoveTogether(t *testing.T) {
	t.Parallel()
	l := list(t, "demo:v1", sourceOf(t, withZstdTwins("amd64", "arm64"), "demo:twins"))
	if len(l.Entries) != 4 {
		t.Fatal(describe(l.Entries))
	}
	checkList(t, l)
	for name, l := range map[string]compose.List{"read": l, "from a draft": stored(l)} {
		amended, changes, err := l.Replace(entriesOf(t, seeded("amd64", "", "new"), "demo:new"), compose.AddOptions{})
		if err != nil || actions(changes) != "replaced removed" || len(amended.Entries) != 3 {
			t.Errorf("%s: amend with one: got %q, %v", name, changes, err)
		}
		kept, changes, err := l.Replace(entriesOf(t, seeded("amd64", "", "new"), "demo:new"),
			compose.AddOptions{OnDuplicate: compose.DuplicateKeep})
		if err != nil || actions(changes) != "added" || len(kept.Entries) != 5 {
			t.Errorf("%s: amend that keeps: got %q, %v", name, changes, err)
		}
		_, _, err = l.Replace(entriesOf(t, zstd(seeded("amd64", "", "new")), "demo:new"),
			compose.AddOptions{OnDuplicate: compose.DuplicateError})
		wantError(t, err, compose.ErrDuplicate, "linux/amd64")
		left, _, err := l.Remove("linux/arm64")
		if err != nil || len(left.Entries) != 2 {
			t.Errorf("%s: remove: got %q, %v", name, describe(left.Entries), err)
		}
		edited, _, err := l.Annotate("linux/amd64", compose.Edit{Variant: "v2", Force: true})
		if err != nil || describe(edited.Entries[:2]) != "linux/amd64/v2 linux/amd64/v2" {
			t.Errorf("%s: annotate: got %q, %v", name, describe(edited.Entries), err)
		}
	}
	newer := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: seeded("amd64", "", "b")},
		{Built: repacked("amd64", "b"), Annotations: map[string]string{"io.github.containers.compression.zstd": "true"}},
	}})
	amended, changes, err := l.Replace(entriesOf(t, newer, "demo:new"), compose.AddOptions{})
	if err != nil || actions(changes) != "replaced removed added" || len(amended.Entries) != 4 {
		t.Errorf("amend with both: got %q, %v", changes, err)
	}
	checkList(t, amended)
}
