package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// FromPublished returns a published list for editing. Rows, annotations, artifactType, subject, unknown members and
// unreadable children are kept, and an edit without effect encodes to the published bytes. Nested lists are
// flattened, which the notes say. A single image is registry.ErrUsage.
func FromPublished(r inspect.Report) (List, []string, error) {
	if r.List == nil {
		return List{}, nil, registry.WithHint(registry.Usagef("reading list %q: it is a single image", r.Ref),
			"make a list of it with create, under another name")
	}
	rows, err := decodeRows(r.Root.Body)
	if err != nil {
		return List{}, nil, fmt.Errorf("reading list %q: %w", r.Ref, err)
	}
	f := published{
		report: r, rows: rows,
		list: List{Name: r.Ref, Annotations: maps.Clone(r.List.Annotations), Base: r.Root},
	}
	for _, img := range r.Images {
		if err := f.addImage(img); err != nil {
			return List{}, nil, fmt.Errorf("reading list %q: %w", r.Ref, err)
		}
	}
	for _, other := range r.Others {
		e, err := f.attached(other)
		if err != nil {
			return List{}, nil, fmt.Errorf("reading list %q: %w", r.Ref, err)
		}
		e.Artifact = true
		f.list.Entries = append(f.list.Entries, e)
	}
	var notes []string
	if nested := f.nested(); nested > 0 {
		notes = append(notes, fmt.Sprintf("%q has %s within it, flattened", r.Ref, inspect.Count(nested, "list")))
	}
	return f.list, notes, nil
}

type published struct {
	report inspect.Report
	rows   []Entry
	list   List
}

func (f *published) addImage(img inspect.Image) error {
	e, err := NewEntry(img.Row)
	if err != nil {
		return err
	}
	e.Image, e.Config, e.ConfigDigest = &img, img.Config, img.ConfigOf.Digest
	for _, att := range slices.Concat(img.Attestations, img.Artifacts) {
		a, err := f.attached(att)
		if err != nil {
			return err
		}
		e.Attestations = append(e.Attestations, a)
	}
	f.list.Entries = append(f.list.Entries, f.stamp(e, img.Nested))
	return nil
}

func (f *published) attached(a inspect.Attachment) (Entry, error) {
	e, err := NewEntry(a.Row)
	e.Attachment = &a
	return f.stamp(e, a.Nested), err
}

// stamp names the source by digest, since the rows of the published list don't move with its tag. Content of a nested
// list gets that list's row number.
func (f *published) stamp(e Entry, nested []v1.Hash) Entry {
	r := f.report
	e.Source, e.SourceDigest, e.Origin = r.Ref.WithDigest(r.Root.Digest).At(r.Ref.Transport), r.Root.Digest,
		r.Ref.Transport
	e.Source.Typed = e.Source.String()
	top := e.Digest()
	if len(nested) > 0 {
		top = nested[0]
	}
	e.RowNumber = 1 + slices.IndexFunc(f.rows, func(r Entry) bool { return r.Digest() == top })
	return e
}

// nested counts the lists below the root.
func (f *published) nested() int {
	var lists []v1.Hash
	for _, img := range f.report.Images {
		lists = append(lists, img.Nested...)
	}
	for _, o := range f.report.Others {
		lists = append(lists, o.Nested...)
	}
	slices.SortFunc(lists, func(a, b v1.Hash) int { return strings.Compare(a.String(), b.String()) })
	return len(slices.Compact(lists))
}
