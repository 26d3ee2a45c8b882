package compose

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
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

// DroppedOptional is Dropped for the optional platforms that the new list was made without.
func (p Plan) DroppedOptional(published registry.Manifest) ([]string, error) {
	rows, err := decodeRows(published.Body)
	if err != nil || p.list == nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(e Entry) bool {
		return e.isAttestation() || !slices.ContainsFunc(p.list.Missing(),
			func(m v1.Platform) bool { return platform.Satisfies(e.Platform(), m) })
	})
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

// List returns what the plan publishes as a list for changes; a single image is its only entry.
func (p Plan) List() (List, error) {
	if p.list != nil {
		return *p.list, nil
	}
	r, err := p.report()
	if err != nil {
		return List{}, err
	}
	if r.List != nil {
		l, _, err := FromPublished(r)
		return l, err
	}
	entries, _, err := FromReport(r, SelectOptions{Force: true})
	return List{Name: r.Ref, Entries: entries}, err
}

// Of plans publishing the changed List to the same targets.
func (p Plan) Of(l List) (Plan, error) {
	if !p.Root.IsList() {
		return PlanImage(l.Entries[0], l.Name, p.Targets)
	}
	out, err := NewPlan(l, p.Targets)
	if p.list == nil {
		out.list = nil // a copy drops no platforms
	}
	return out, err
}
