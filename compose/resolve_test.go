package compose_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// stored returns l as a draft has it, without content.
func stored(l compose.List) compose.List {
	var bare []compose.Entry
	for _, e := range l.Entries {
		e.Image, e.Attachment = nil, nil
		var as []compose.Entry
		for _, a := range e.Attestations {
			a.Image, a.Attachment = nil, nil
			as = append(as, a)
		}
		e.Attestations = as
		bare = append(bare, e)
	}
	l.Entries = bare
	return l
}

func attested(images ...registrytest.Built) registrytest.Built {
	s := registrytest.ListSpec{Attested: true}
	for _, b := range images {
		s.Entries = append(s.Entries, registrytest.Entry{Built: b})
	}
	return registrytest.List(s)
}

func reports(ts ...compose.Source) map[registry.Ref]inspect.Report {
	m := map[registry.Ref]inspect.Report{}
	for _, t := range ts {
		m[t.Ref] = t.Report
	}
	return m
}

func TestResolve(t *testing.T) {
	t.Parallel()
	amd, arm := sourceOf(t, attested(image("amd64"), image("s390x")), "r.example/amd:v1"), sourceOf(t, image("arm64"), "demo:arm")
	l := list(t, "demo:v1", amd, arm)
	bare := stored(l)
	if bare.Entries[0].Resolved() {
		t.Fatal("a stored entry is resolved")
	}
	got, err := bare.Resolve(reports(amd, arm))
	if err != nil || !equal(got, l) {
		t.Errorf("resolving a stored list gives another list: %v", err)
	}
	for _, e := range got.Entries {
		if !e.Resolved() {
			t.Errorf("%s is not resolved", e)
		}
	}
	if want := []registry.Ref{amd.Ref, arm.Ref}; !reflect.DeepEqual(l.Sources(), want) {
		t.Errorf("got sources %v, want %v", l.Sources(), want)
	}
	if bare.Entries[0].Image != nil {
		t.Error("Resolve changed the list it was called on")
	}
	_, err = bare.Resolve(reports(amd))
	wantError(t, err, registry.ErrNotFound, "demo:arm")
}

func TestResolveFindsDrift(t *testing.T) {
	t.Parallel()
	amd, arm := sourceOf(t, attested(image("amd64")), "r.example/amd:v1"), sourceOf(t, image("arm64"), "demo:arm")
	l := stored(list(t, "demo:v1", amd, arm))
	moved := sourceOf(t, seeded("arm64", "", "new"), "demo:arm")
	got, err := l.Resolve(reports(amd, moved))
	wantError(t, err, compose.ErrMoved, "demo:arm", arm.Report.Root.Digest.String(), moved.Report.Root.Digest.String())
	wantError(t, err, registry.ErrConflict)
	wantError(t, err, compose.ErrSourceMoved)
	if strings.Contains(err.Error(), "amd:v1") {
		t.Errorf("%q names a source that has not moved", err)
	}
	if got.Entries[0].Image == nil || got.Entries[1].Image != nil {
		t.Error("want content only for the entry whose source has not moved")
	}
	// A source has moved if its other images changed. Entries that it still has are resolved.
	got, err = l.Resolve(reports(sourceOf(t, attested(image("amd64"), image("s390x")), "r.example/amd:v1"), arm))
	wantError(t, err, compose.ErrMoved, "amd:v1")
	if !got.Entries[0].Resolved() {
		t.Error("the entry is not resolved, although its source has it")
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	amd, arm := sourceOf(t, attested(image("amd64"), image("s390x")), "r.example/amd:v1"), sourceOf(t, image("arm64"), "demo:arm")
	l := list(t, "demo:v1", amd, arm)
	l, _, err := l.Annotate("linux/arm64", compose.Edit{Variant: "v8", Annotations: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	newArm := seeded("arm64", "", "new")
	moved := sourceOf(t, newArm, "demo:arm")
	got, changes, _, err := stored(l).Refresh(reports(amd, moved), compose.SelectOptions{})
	if err != nil || actions(changes) != "replaced" || changes[0].Old != arm.Report.Root.Digest {
		t.Fatalf("got %v, %v", changes, err)
	}
	e := got.Entries[2]
	if e.Digest() != newArm.Digest() || e.SourceDigest != newArm.Digest() || !e.Resolved() {
		t.Errorf("got %+v, want the new image", e.Descriptor)
	}
	if e.Descriptor.Annotations["k"] != "v" || e.Platform().Variant != "v8" || e.Source != arm.Ref {
		t.Errorf("got row %s from %v, want the annotation and the variant", e.Row, e.Source)
	}
	if _, cs, _, err := got.Refresh(reports(amd, moved), compose.SelectOptions{}); err != nil || len(cs) != 0 {
		t.Errorf("refreshing again: got %v, %v", cs, err)
	}
	third := sourceOf(t, seeded("arm64", "", "newer"), "demo:arm")
	if got, _, _, err = got.Refresh(reports(amd, third), compose.SelectOptions{}); err != nil ||
		got.Entries[2].Descriptor.Annotations["k"] != "v" {
		t.Errorf("got row %s, %v, want the annotation after a second refresh", got.Entries[2].Row, err)
	}

	_, _, _, err = l.Refresh(reports(sourceOf(t, image("amd64"), "r.example/amd:v1"), arm), compose.SelectOptions{})
	wantError(t, err, compose.ErrNoMatch, "r.example/amd:v1", "linux/s390x")
	_, _, _, err = l.Refresh(reports(amd, sourceOf(t, image("amd64"), "demo:arm")), compose.SelectOptions{})
	wantError(t, err, compose.ErrNoMatch, "demo:arm", "linux/arm64")
	_, _, _, err = l.Refresh(reports(amd), compose.SelectOptions{})
	wantError(t, err, registry.ErrNotFound, "demo:arm")
}

func TestObjectReadsLikeAnyImage(t *testing.T) {
	t.Parallel()
	l := list(t, "demo:v1", sourceOf(t, registrytest.ListOf(attested(image("amd64"), image("s390x"))), "r.example/amd:v1"),
		sourceOf(t, image("arm64"), "demo:arm"))
	l, _, err := l.Annotate("linux/arm64", compose.Edit{Annotations: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	obj, err := l.Object()
	if err != nil || obj.Root.Digest != encode(t, l).Digest || obj.Ref.Transport != registry.TransportDraft {
		t.Fatalf("got %v, %v", obj.Ref, err)
	}
	got, err := inspect.Read(t.Context(), obj)
	if err != nil {
		t.Fatal(err)
	}
	fast, err := l.Report()
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Images {
		if got.Images[i].Err != nil {
			t.Errorf("reading %s: %v", got.Images[i].Descriptor.Digest, got.Images[i].Err)
		}
		layer, err := obj.Source.Blob(t.Context(), got.Images[i].Layers[0])
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(layer); err != nil || int64(len(data)) != got.Images[i].Layers[0].Size {
			t.Errorf("got %d bytes of a layer, %v", len(data), err)
		}
	}
	if len(got.Images) != 3 || !equal(simple(got), simple(fast)) {
		t.Error("Report and inspect.Read differ")
	}

	bare, err := stored(l).Object()
	if err != nil {
		t.Fatal(err)
	}
	_, err = bare.Source.Manifest(t.Context(), l.Entries[0].Descriptor)
	wantError(t, err, registry.ErrNotFound, l.Entries[0].Digest().String())
	unread, err := stored(l).Report()
	if err != nil || !errors.Is(unread.Images[0].Err, registry.ErrNotFound) {
		t.Errorf("got %v, %v, want an entry that was not read", unread.Images[0].Err, err)
	}
}

// simple returns r without its sources, which can't be compared.
func simple(r inspect.Report) inspect.Report {
	for i := range r.Images {
		r.Images[i].Source = nil
		for j := range r.Images[i].Attestations {
			r.Images[i].Attestations[j].Source = nil
		}
	}
	return r
}
