package compose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// bodyOf returns a list as another tool might write it: indented, members in another order, unknown members, and each
// attestation right after its image.
func bodyOf(mediaType types.MediaType, images ...registrytest.Built) (string, registrytest.Built) {
	var rows []string
	var entries []registrytest.Entry
	row := `    {"x-row": [1,  2], "digest": "%s", "size": %d, "mediaType": "%s", "platform": {"os": "%s", "architecture": "%s"}%s}`
	for _, b := range images {
		m := b.Manifest
		rows = append(rows, fmt.Sprintf(row, m.Digest, len(m.Body), m.MediaType, b.Platform.OS, b.Platform.Architecture, ""))
		entries = append(entries, registrytest.Entry{Built: b})
		if mediaType == types.DockerManifestList {
			continue
		}
		a := registrytest.Attestation(m)
		entries = append(entries, a)
		rows = append(rows,
			fmt.Sprintf(row, a.Manifest.Digest, len(a.Manifest.Body), a.Manifest.MediaType, "unknown", "unknown",
				fmt.Sprintf(
					`, "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "%s"}`,
					m.Digest)))
	}
	body := fmt.Sprintf(
		"{\n  \"x-list\": 1.0e3,\n  \"manifests\": [\n%s\n  ],\n  \"mediaType\": \"%s\",\n  \"schemaVersion\": 2",
		strings.Join(rows, ",\n"), mediaType)
	if mediaType == types.OCIImageIndex {
		body += ",\n  \"annotations\": {\"z\": \"1\", \"a\": \"<2>\"},\n  \"artifactType\": \"application/x\",\n  \"subject\": " +
			`{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2, "digest": "sha256:` +
			strings.Repeat("ab", 32) + `"}`
	}
	return body + "\n}\n", registrytest.List(registrytest.ListSpec{Entries: entries})
}

func fromPublished(t *testing.T, mediaType types.MediaType, images ...registrytest.Built) (compose.List, string) {
	t.Helper()
	body, children := bodyOf(mediaType, images...)
	l, notes, err := compose.FromPublished(published(t, children, body, "r.example/demo:v1"))
	if err != nil || len(notes) > 0 {
		t.Fatalf("got notes %q, %v", notes, err)
	}
	return l, body
}

func TestPublishedUnchanged(t *testing.T) {
	t.Parallel()
	for _, mediaType := range []types.MediaType{types.OCIImageIndex, types.DockerManifestList} {
		l, body := fromPublished(t, mediaType, image("amd64"), image("s390x"))
		same, changes, err := l.Replace(entriesOf(t, image("s390x"), "demo:s390x"), compose.AddOptions{})
		if err != nil || actions(changes) != "unchanged" {
			t.Fatalf("got %q, %v", actions(changes), err)
		}
		if m := encode(t, same); string(m.Body) != body || m.Digest != l.Base.Digest || m.MediaType != mediaType {
			t.Errorf("an edit without a change: got %s %s\n%s\nwant\n%s", m.MediaType, m.Digest, m.Body, body)
		}
	}
}

func TestPublishedKeepsUnknownMembers(t *testing.T) {
	t.Parallel()
	l, body := fromPublished(t, types.OCIImageIndex, image("amd64"), image("s390x"))
	newer := seeded("s390x", "", "newer")
	l, _, err := l.Replace(entriesOf(t, newer, "demo:s390x"), compose.AddOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if l, _, err = l.AnnotateList(compose.Edit{
		Annotations: map[string]string{"new": "3"},
		Unset:       []string{"z"},
	}); err != nil {
		t.Fatal(err)
	}
	_, published, _ := strings.Cut(body, "\"manifests\": [\n")
	lines := strings.Split(published, "\n") // amd64, its attestation, s390x, its attestation
	squeeze := strings.NewReplacer(": ", ":", ", ", ",", ",  ", ",", " ", "")
	kept := squeeze.Replace(lines[0] + strings.TrimSuffix(lines[1], ","))
	m := newer.Manifest
	want := `{"x-list":1.0e3,"manifests":[` + kept +
		fmt.Sprintf(`,{"mediaType":"%s","size":%d,"digest":"%s","platform":{"architecture":"s390x","os":"linux"}}],`,
			m.MediaType, len(m.Body), m.Digest) +
		`"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2,"annotations":{"a":"<2>","new":"3"},` +
		`"artifactType":"application/x","subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"digest":"sha256:` +
		strings.Repeat("ab", 32) + `"}}`
	if got := string(encode(t, l).Body); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A replaced row keeps its position, and so do the rows after it.
func TestPublishedOrder(t *testing.T) {
	t.Parallel()
	l, _ := fromPublished(t, types.DockerManifestList, dockerImage("amd64"), dockerImage("s390x"), dockerImage("ppc64le"))
	l, _, err := l.Replace(slices.Concat(entriesOf(t, dockerImage("arm64"), "demo:arm"),
		entriesOf(t, seeded("s390x", "", "new"), "demo:z")), compose.AddOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows(t, encode(t, l)) {
		got = append(got, r.Platform.Architecture)
	}
	if want := "amd64 s390x ppc64le arm64"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestPublishedDockerList(t *testing.T) {
	t.Parallel()
	oci, docker := image("amd64"), dockerImage("s390x")
	l, _ := fromPublished(t, types.DockerManifestList, oci, docker)
	edited, _, err := l.Replace(entriesOf(t, dockerImage("ppc64le"), "demo:ppc"), compose.AddOptions{})
	if err != nil || encode(t, edited).MediaType != types.DockerManifestList {
		t.Errorf("got %s, %v, want a Docker list, since it had an OCI image before", encode(t, edited).MediaType, err)
	}
	edited, _, err = l.Replace(entriesOf(t, image("arm64"), "demo:arm"), compose.AddOptions{})
	if err != nil || encode(t, edited).MediaType != types.OCIImageIndex {
		t.Errorf("got %s, %v, want an OCI index for a new OCI image", encode(t, edited).MediaType, err)
	}
	if _, note, _ := edited.MediaType(); !strings.Contains(note, "linux/arm64") || strings.Contains(note, "linux/amd64") {
		t.Errorf("got note %q, want only the new entry", note)
	}
}

func TestPublishedUntyped(t *testing.T) {
	t.Parallel()
	b := registrytest.List(
		registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image("amd64")}, {Built: image("s390x")}}, Untyped: true})
	l, _, err := compose.FromPublished(read(t, b, "r.example/demo:v1"))
	if err != nil || encode(t, l).Digest != b.Digest() {
		t.Errorf("the bytes of a list without a media type changed: %v", err)
	}
	l, _, err = l.Remove("linux/s390x")
	if err != nil || strings.Contains(string(encode(t, l).Body), "index.v1+json") {
		t.Errorf("got %s, %v", encode(t, l).Body, err)
	}
}

func TestPublishedBrokenAndNested(t *testing.T) {
	t.Parallel()
	b := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: image("amd64")}, {Built: image("s390x"), Missing: true}, {Built: registrytest.ListOf(image("arm64"))},
	}})
	l, notes, err := compose.FromPublished(read(t, b, "r.example/demo:v1"))
	if err != nil || !strings.Contains(strings.Join(notes, "\n"), "1 list within it, flattened") {
		t.Fatalf("got %q, %v", notes, err)
	}
	l, _, err = l.Remove("linux/s390x")
	if err != nil || len(rows(t, encode(t, l))) != 2 {
		t.Errorf("removing an entry whose manifest is missing: %v", err)
	}
	_, _, err = compose.FromPublished(read(t, image("amd64"), "r.example/demo:v1"))
	wantError(t, err, registry.ErrUsage, "r.example/demo:v1", "single image")
}

func TestPublishedArtifactsStay(t *testing.T) {
	t.Parallel()
	orphan := registrytest.Attestation(image("ppc64le").Manifest)
	b := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{orphan, {Built: image("amd64")}}})
	l, _, err := compose.FromPublished(read(t, b, "r.example/demo:v1"))
	if err != nil || encode(t, l).Digest != b.Digest() {
		t.Fatalf("an attestation without its image was lost: %v", err)
	}
	l, _, err = l.Replace(entriesOf(t, seeded("amd64", "", "x"), "demo:x"), compose.AddOptions{})
	if err != nil || rows(t, encode(t, l))[0].Digest != orphan.Digest() {
		t.Errorf("got %v, %v, want the row of the attestation first", rows(t, encode(t, l)), err)
	}
}
