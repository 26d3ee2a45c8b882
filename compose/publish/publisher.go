package publish

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/store"
)

// Publisher publishes what plans say. With a Client alone it publishes to registries.
type Publisher struct {
	Client *remote.Client
	// Note is called with remarks for the user, one line each, possibly concurrently; it may be nil.
	Note func(string)
	// Open opens what Options.Referrers finds in the sources; nil opens registries only.
	Open func(context.Context, registry.Ref) (registry.Object, error)
	// Create opens a target that is not in a registry. finish completes it or, given an error, undoes what it can and
	// returns that error. nil means that there are no such targets.
	Create func(registry.Ref) (to registry.Target, finish func(error) error, err error)
	// Compression is how layers are packed before they are published. Stage makes a folder for them.
	Compression Compression
	Stage       func(context.Context) (*store.Stage, error)
}

// Options tune Publish. The zero value is careful.
type Options struct {
	// DryRun checks the targets and writes nothing.
	DryRun bool
	// Confirm reads the root's children back before a tag is written, and the tag after.
	Confirm bool
	// Force publishes even if a guard forbids it.
	Force bool
	// Require are the platforms that the list must serve, with claims that agree with the images' configs (see
	// inspect.Check). If it does, a published list may lose other platforms.
	Require []v1.Platform
	// MayDrop lets a published list lose platforms.
	MayDrop bool
	// NoClobber refuses to move existing tags, except for the Floating ones.
	NoClobber bool
	Floating  []string
	// ChildTags is a template by which every image of the list gets a tag, "" for none; see compose.Expand.
	ChildTags string
	// Referrers also copies what refers to the content in the sources: signatures, SBOMs.
	Referrers bool
	// Also are referrers that are copied in any case; see AsReferrers.
	Also []Referrer
	// Load loads one image of the content into a target that takes no list, Docker Engine, and returns its digest there.
	Load func(ctx context.Context, content inspect.Report, to registry.Ref) (v1.Hash, error)
}

func (p Publisher) note(line string) {
	if p.Note != nil {
		p.Note(line)
	}
}

func (p Publisher) notes(lines []string) {
	for _, line := range lines {
		p.note(line)
	}
}

// target opens a target for writing.
func (p Publisher) target(ref registry.Ref) (to registry.Target, finish func(error) error, err error) {
	switch {
	case ref.Transport == registry.TransportRegistry:
		return p.Client.Repository(ref, remote.PullPush), func(err error) error { return err }, nil
	case p.Create == nil:
		return nil, nil, registry.Usagef("publishing to %q: only registries are targets here", ref)
	}
	return p.Create(ref)
}

// open opens what is read in addition to the sources.
func (p Publisher) open(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	if p.Open != nil {
		return p.Open(ctx, ref)
	}
	if ref.Transport != registry.TransportRegistry {
		return registry.Object{}, registry.Usagef("opening %q: it is not in a registry", ref)
	}
	repository := p.Client.Repository(ref, remote.Pull)
	root, err := repository.Resolve(ctx, ref)
	return registry.Object{Ref: ref, Root: root, Source: repository}, err
}

// Read opens ref and reads the tree under it. The caller closes the object after publishing.
func (p Publisher) Read(ctx context.Context, ref registry.Ref) (registry.Object, inspect.Report, error) {
	object, err := p.open(ctx, ref)
	if err != nil {
		return object, inspect.Report{}, err
	}
	report, err := inspect.Read(ctx, object)
	if err != nil {
		err = errors.Join(err, object.Close())
	}
	return object, report, err
}

// Referrer is an artifact that refers to a subject, or that cosign stores under a tag named after the subject.
type Referrer struct {
	subject v1.Hash
	tag     string // cosign's; "" for others
	object  registry.Object
	report  inspect.Report
}
