package compose

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// Plan is what publishing will do, as a value: nothing has happened yet.
type Plan struct {
	// Root is the list, or the single image.
	Root registry.Manifest
	// Notes are what a user should be told of it.
	Notes []string
	// Uploads are independent of each other; one a repository (or file), in the order of the targets.
	Uploads []Upload
}

// Upload is what one repository gets.
type Upload struct {
	// Repository is the target without tag and digest.
	Repository registry.Ref
	Root       registry.Manifest
	// Blobs that the repository may lack, each once. What lies in the very repository already is not among them.
	Blobs []Blob
	// Children are the manifests below the root that the repository may lack, those that others refer to first.
	Children []Child
	// ChildTags name children, so that registries which delete what has no tag keep them. See ChildTags.
	ChildTags []ChildTag
	// Tags get the root last, in this order; none: the root is put by its digest only.
	Tags []Tag
}

// Tag is a name that the root gets.
type Tag struct {
	Name string
	// Base is what the tag must still be when it is written; zero: anything.
	Base v1.Hash
	// Fixed: it is written only where nothing has it yet.
	Fixed bool
}

// Blob is a config or a layer on its way.
type Blob struct {
	Descriptor v1.Descriptor
	From       registry.Ref
	Source     registry.Source
	// Mountable: it lies in another repository of the same registry, which may take it without its bytes being sent.
	Mountable bool
}

// Child is a manifest on its way: an image, an attestation, an artifact, or a list within the list.
type Child struct {
	Descriptor v1.Descriptor
	// Manifest has no body for a list within a list, which is read from Source when it is put.
	Manifest registry.Manifest
	From     registry.Ref
	Source   registry.Source
	// Made: its manifest was made here, and its source has the blobs only.
	Made bool
	// Level is 0 for what is directly below the root, and one more for each list between.
	Level int
}

// Totals sums up an Upload.
type Totals struct {
	Mounts, Copies int   // blobs
	Bytes          int64 // of all blobs to be copied; those that can be mounted count when the mount is refused
	Children       int
	Tags           int
}

// Totals counts what will be done at most: what is there already is told by the registry only.
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

// Ref is the root by digest, "registry.example/demo@sha256:…".
func (u Upload) Ref() registry.Ref { return u.Repository.WithDigest(u.Root.Digest) }

// NewPlan plans the publishing of l, whose entries must be resolved, to targets: names with a tag, several of one
// repository allowed, or with the digest that the list has. Where l derives from a published list and its own name is
// among the targets, that tag's Base is set. Errors are those of Encode and ErrTarget.
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
	return plan, err
}

// PlanOf plans the publishing of a list or image as it is: every digest stays, lists within the list as well. Content of
// the report that could not be read is an error. See NewPlan for the targets.
func PlanOf(r inspect.Report, targets []registry.Ref) (Plan, error) {
	p := planning{name: r.Ref, root: r.Root}
	p.addReport(r, r.Ref, 0)
	return p.plan(targets)
}
