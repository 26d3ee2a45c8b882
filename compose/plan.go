package compose

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// Plan is what publishing will do, as a value: nothing has happened yet. Package publish carries it out.
type Plan struct {
	// Root is the list, or the single image.
	Root registry.Manifest
	// Targets are the names that get the root, as requested.
	Targets []registry.Ref
	// Notes are remarks for the user.
	Notes []string
	// Uploads are independent of each other: one for each repository or file, in the order of the targets.
	Uploads []Upload
	// Subjects are what others, such as signatures, may refer to in the sources.
	Subjects []Subject

	list   *List // nil for a copy
	report func() (inspect.Report, error)
}

// Report returns what inspect.Read would find under the root, without a request.
func (p Plan) Report() (inspect.Report, error) { return p.report() }

// Dropped returns the platforms of a published list, by its rows alone, that the new one lacks; see the function
// Dropped. A plan made by PlanOf drops none.
func (p Plan) Dropped(published registry.Manifest) ([]string, error) {
	if p.list == nil || published.Digest == p.Root.Digest {
		return nil, nil
	}
	rows, err := decodeRows(published.Body)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, Entry.isAttestation)
	return Dropped(List{Entries: rows}, *p.list), nil
}

// Subject is a manifest that others may refer to by its digest, where it was found.
type Subject struct {
	From   registry.Ref // a repository or file; its tag and digest don't matter
	Digest v1.Hash
}

// Upload is what one repository gets.
type Upload struct {
	// Repository is the target without tag and digest.
	Repository registry.Ref
	Root       registry.Manifest
	// Blobs that the repository may lack, each once. Those whose source is this repository are left out.
	Blobs []Blob
	// Children are the manifests below the root that the repository may lack, those that others refer to first.
	Children []Child
	// ChildTags name children for registries that delete untagged manifests. See ChildTags.
	ChildTags []ChildTag
	// Tags get the root last, in this order. Without tags the root is put by digest only.
	Tags []Tag
}

// Tag is a name that the root gets.
type Tag struct {
	Name string
	// Base is what the tag must still be when it is written; zero allows anything.
	Base v1.Hash
	// Fixed means that the tag is written only if it does not exist yet.
	Fixed bool
}

// Blob is a config or a layer on its way.
type Blob struct {
	Descriptor v1.Descriptor
	From       registry.Ref
	Source     registry.Source
	// Mountable means that it is in another repository of the same registry, which may mount it without any bytes being
	// sent.
	Mountable bool
}

// Child is a manifest on its way: an image, an attestation, an artifact, or a list within the list.
type Child struct {
	Descriptor v1.Descriptor
	// Manifest has no body for a nested list, which is read from Source when it is put.
	Manifest registry.Manifest
	From     registry.Ref
	Source   registry.Source
	// Made means that its manifest was made here, so its source has only the blobs.
	Made bool
	// Level is the number of lists between this and the root.
	Level int
}

// Totals sums up an Upload.
type Totals struct {
	Mounts, Copies int   // blobs
	Bytes          int64 // of all blobs to copy; a mountable blob counts only if its mount is refused
	Children       int
	Tags           int
}

// Totals returns upper bounds: only the registry knows what is already there.
func (u Upload) Totals() Totals {
	t := Totals{Children: len(u.Children), Tags: len(u.Tags)}
	for _, b := range u.Blobs {
		if b.Mountable {
			t.Mounts++
			continue
		}
		t.Copies++
		t.Bytes += b.Descriptor.Size
	}
	return t
}

// Ref returns the root by digest, "registry.example/demo@sha256:…".
func (u Upload) Ref() registry.Ref { return u.Repository.WithDigest(u.Root.Digest) }

// NewPlan plans publishing l, whose entries must be resolved, to targets: names with a tag, even several in one
// repository, or with the list's digest. If l derives from a published list and its own name is among the targets,
// that tag's Base is set. Docker Engine is a target without an upload, since it takes one image and no list. Errors
// are those of Encode and ErrTarget.
func NewPlan(l List, targets []registry.Ref) (Plan, error) {
	root, err := l.Encode()
	if err != nil {
		return Plan{}, err
	}
	_, note, err := l.MediaType()
	if err != nil {
		return Plan{}, err
	}
	p := planning{name: l.Name, root: root}
	if l.Base.Body != nil {
		p.base = l.Base.Digest
	}
	for _, e := range l.Entries {
		p.addEntry(e)
		for _, a := range e.Attestations {
			p.addEntry(a)
		}
	}
	plan, err := p.plan(targets)
	if note != "" {
		plan.Notes = append(plan.Notes, note)
	}
	plan.list, plan.report, plan.Subjects = &l, l.Report, l.subjects()
	return plan, err
}

// subjects returns the images in their sources. Nothing refers to an image that was changed here.
func (l List) subjects() []Subject {
	var all []Subject
	for _, e := range l.Entries {
		if e.OriginalDigest != (v1.Hash{}) {
			continue
		}
		all = append(all, Subject{e.From(), e.Digest()})
		for _, a := range e.Attestations {
			all = append(all, Subject{e.From(), a.Digest()})
		}
	}
	return all
}

// PlanOf plans publishing a list or image unchanged: every digest stays the same, nested lists included. Unread
// content in the report is an error. See NewPlan for the targets.
func PlanOf(r inspect.Report, targets []registry.Ref) (Plan, error) {
	p := planning{name: r.Ref, root: r.Root}
	p.addReport(r, r.Ref, 0)
	plan, err := p.plan(targets)
	plan.report, plan.Subjects = func() (inspect.Report, error) { return r, nil }, subjectsOf(r)
	return plan, err
}

// PlanImage plans the publishing of one image of a list, as a list of its own can't be: what is attested of it stays
// behind.
func PlanImage(e Entry, name registry.Ref, targets []registry.Ref) (Plan, error) {
	if err := e.unread(); err != nil {
		return Plan{}, fmt.Errorf("planning to publish %q: %w", name, err)
	}
	p := planning{name: name, root: e.Image.Manifest, base: e.OriginalDigest}
	p.addEntry(e)
	plan, err := p.plan(targets)
	r := inspect.Report{Ref: name, Root: e.Image.Manifest, Images: []inspect.Image{*e.Image}}
	plan.report = func() (inspect.Report, error) { return r, nil }
	if e.OriginalDigest == (v1.Hash{}) {
		plan.Subjects = subjectsOf(r)
	}
	return plan, err
}

// subjectsOf returns the root and everything in it.
func subjectsOf(r inspect.Report) []Subject {
	all := []Subject{{r.Ref, r.Root.Digest}}
	for _, img := range r.Images {
		all = append(all, Subject{r.Ref, img.Descriptor.Digest})
		for _, a := range slices.Concat(img.Attestations, img.Artifacts) {
			all = append(all, Subject{r.Ref, a.Descriptor.Digest})
		}
	}
	return all
}
