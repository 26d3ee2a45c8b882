package compose

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// Plan is what publishing will do, as a value: nothing has happened yet. Package publish carries it out.
type Plan struct {
	// Root is the list, or the single image.
	Root registry.Manifest
	// Targets are the names that get the root, as they were asked for.
	Targets []registry.Ref
	// Notes are what a user should be told of it.
	Notes []string
	// Uploads are independent of each other; one a repository (or file), in the order of the targets.
	Uploads []Upload
	// Subjects are what others may refer to, such as signatures, where it comes from.
	Subjects []Subject

	list   *List // nil for a copy
	report func() (inspect.Report, error)
}

// Report is what inspect.Read would find under the root, without a request.
func (p Plan) Report() (inspect.Report, error) { return p.report() }

// Dropped says which platforms of a published list, by its rows alone, the new one does not have; see the function Dropped.
// A copy of what was read drops none.
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
// among the targets, that tag's Base is set. Docker Engine is a target without an upload: it takes one image and no list.
// Errors are those of Encode and ErrTarget.
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

// subjects are the images where they come from. One that was changed here has nothing that refers to it.
func (l List) subjects() []Subject {
	var all []Subject
	for _, e := range l.Entries {
		if e.Original != (v1.Hash{}) {
			continue
		}
		all = append(all, Subject{e.From(), e.Digest()})
		for _, a := range e.Attestations {
			all = append(all, Subject{e.From(), a.Digest()})
		}
	}
	return all
}

// PlanOf plans the publishing of a list or image as it is: every digest stays, lists within the list as well. Content of
// the report that could not be read is an error. See NewPlan for the targets.
func PlanOf(r inspect.Report, targets []registry.Ref) (Plan, error) {
	p := planning{name: r.Ref, root: r.Root}
	p.addReport(r, r.Ref, 0)
	plan, err := p.plan(targets)
	plan.report, plan.Subjects = func() (inspect.Report, error) { return r, nil }, subjectsOf(r)
	return plan, err
}

// subjectsOf are the root and everything in it.
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
