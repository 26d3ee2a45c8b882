package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
)

// tagger is a registry.Target that can look up its tags, such as *remote.Repository. Other targets are written
// without a look at their tags.
type tagger interface {
	// Tag returns what a tag is. A missing tag is registry.ErrNotFound. Damaged content is returned with an error that
	// wraps registry.ErrContent.
	Tag(ctx context.Context, tag string) (registry.Manifest, error)
	// PutTagIf is PutTag on the condition that the tag still is was (zero: does not exist). Otherwise the error wraps
	// registry.ErrConflict, if the target can check that.
	PutTagIf(ctx context.Context, tag string, m registry.Manifest, was v1.Hash) error
}

// severalTagger is a registry.Target that can write several tags at once, such as *remote.Repository.
type severalTagger interface {
	// PutTags reports whether all tags were written, which some targets can't do at once.
	PutTags(ctx context.Context, tags []string, m registry.Manifest) (bool, error)
}

// UploadOptions tune Upload; the zero value is right.
type UploadOptions struct {
	// Concurrency limits the requests of one round; default 64.
	Concurrency int
	// Note is called with remarks for the user, one line each, never concurrently; it may be nil.
	Note func(string)
	// Confirm reads the root's children back before a tag is written, and the tags after.
	Confirm bool
	// Force overwrites a list with a single image, and uploads again what the registry claims to have.
	Force bool
	// Existing is what the tags are, if the caller knows; a zero descriptor is a missing tag. Tags that it does not name
	// are looked up.
	Existing map[string]v1.Descriptor
}

// Result is what Upload did; with an error, what it did before.
type Result struct {
	Digest v1.Hash
	// Changed is false if every tag had the digest already.
	Changed bool
	// Tags that were written.
	Tags []string
	// Blobs by how they got there.
	Present, Mounted, Copied int
	// Bytes of blobs that were sent.
	Bytes int64
}

// String describes how the blobs got there, for people.
func (r Result) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{r.Present, "already there"}, {r.Mounted, "mounted"}, {r.Copied, "copied (" + inspect.Bytes(r.Bytes) + ")"}} {
		switch {
		case p.n == 0:
		case len(parts) > 0:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		default:
			parts = append(parts, inspect.Count(p.n, "blob")+" "+p.what)
		}
	}
	if len(parts) == 0 {
		return "no blobs to copy"
	}
	return strings.Join(parts, ", ")
}

// Upload carries out u bottom-up: all blobs at once, then the children level by level, then the root under each tag.
// A failure cancels the rest, and no tag is written. If all tags have the root's digest already, nothing is uploaded.
//
// Errors wrap the kinds of package registry; compose.ErrMoved if a tag is not at its Base right before it is written
// (a small gap remains), ErrOverwrite if a tag is a list and the root is not, ErrTaken if a tag that must not move
// has other content.
func Upload(ctx context.Context, u compose.Upload, to registry.Target, o UploadOptions) (Result, error) {
	w := newUpload(u, to, o)
	if err := w.bring(ctx); err != nil {
		return w.result, err
	}
	return w.result, w.tag(ctx)
}

// upload is the state of one Upload. It has two steps, so that several uploads can bring their content before any of
// them writes a tag.
type upload struct {
	compose.Upload
	target  registry.Target
	options UploadOptions
	mu      sync.Mutex // guards result and refused while blobs are uploaded
	result  Result
	refused int           // mounts
	todo    []compose.Tag // those to write

	existing map[string]v1.Descriptor // what the tags were when the guards looked

	finish func(error) error // of the target, where Push opened it
	err    error
}

func newUpload(u compose.Upload, to registry.Target, o UploadOptions) *upload {
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return &upload{Upload: u, target: to, options: o, result: Result{Digest: u.Root.Digest}}
}

// bring is the first step: it uploads everything below the root.
func (w *upload) bring(ctx context.Context) error {
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("publishing %q: %w", w.Ref(), err)
	}
	return nil
}

// tag is the second step: it writes the tags or, without tags, the root by digest.
func (w *upload) tag(ctx context.Context) error {
	if w.unchanged() {
		return nil
	}
	w.result.Changed = true
	if err := w.tags(ctx); err != nil {
		return fmt.Errorf("publishing %q: %w", w.Ref(), err)
	}
	return nil
}

// unchanged reports whether every tag has the root already.
func (w *upload) unchanged() bool { return len(w.Tags) > 0 && len(w.todo) == 0 }

func (w *upload) prepare(ctx context.Context) error {
	existing, err := w.state(ctx)
	if err != nil {
		return err
	}
	w.existing, w.todo = existing, slices.Clone(w.Tags)
	if err := w.guardFixed(existing); err != nil {
		return err
	}
	if !w.options.Force {
		if err := w.guardLists(existing); err != nil {
			return err
		}
		w.todo = slices.DeleteFunc(w.todo, func(t compose.Tag) bool { return existing[t.Name].Digest == w.Root.Digest })
	}
	// A tag that has the digest vouches for everything below it.
	if len(w.todo) == len(w.Tags) {
		if err := w.content(ctx); err != nil {
			return err
		}
	}
	return w.childTags(ctx)
}

// guardFixed refuses to move fixed tags.
func (w *upload) guardFixed(existing map[string]v1.Descriptor) error {
	for _, t := range w.Tags {
		d := existing[t.Name]
		if t.Fixed && d.Digest != (v1.Hash{}) && d.Digest != w.Root.Digest {
			return fmt.Errorf("%w: %q is %s, and this is %s", ErrTaken, w.Repository.WithTag(t.Name), d.Digest, w.Root.Digest)
		}
	}
	return nil
}

// childTags names the children. A tag that has another child's digest is moved: it belongs to the list.
func (w *upload) childTags(ctx context.Context) error {
	tagged, ok := w.target.(tagger)
	return w.each(ctx, len(w.ChildTags), func(ctx context.Context, i int) error {
		t := w.ChildTags[i]
		if ok {
			if now, err := look(ctx, tagged, t.Name); err != nil || now.Digest == t.Manifest.Digest {
				return err
			}
		}
		if err := w.target.PutTag(ctx, t.Name, t.Manifest); err != nil {
			return fmt.Errorf("writing tag %q of %s: %w", t.Name, t.Manifest.Digest, err)
		}
		return nil
	})
}

// state looks up the tags whose state is not known.
func (w *upload) state(ctx context.Context) (map[string]v1.Descriptor, error) {
	found := make([]v1.Descriptor, len(w.Tags))
	tagged, ok := w.target.(tagger)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.options.Concurrency)
	for i, t := range w.Tags {
		known, asked := w.options.Existing[t.Name]
		if found[i] = known; asked || !ok {
			continue
		}
		g.Go(func() (err error) {
			found[i], err = look(ctx, tagged, t.Name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	existing := map[string]v1.Descriptor{}
	for i, t := range w.Tags {
		existing[t.Name] = found[i]
	}
	return existing, nil
}

// look is Tag with a zero descriptor for a missing tag. Damaged content may be overwritten.
func look(ctx context.Context, t tagger, tag string) (v1.Descriptor, error) {
	m, err := t.Tag(ctx, tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return v1.Descriptor{}, nil
	case err != nil && !errors.Is(err, registry.ErrContent):
		return v1.Descriptor{}, err
	}
	return m.Descriptor(), nil
}

func (w *upload) guardLists(existing map[string]v1.Descriptor) error {
	if w.Root.IsList() {
		return nil
	}
	for _, t := range w.Tags {
		if d := existing[t.Name]; d.MediaType.IsIndex() {
			return fmt.Errorf("%w: %q is the list %s, and this is a single image", ErrOverwrite, w.Repository.WithTag(t.Name), d.Digest)
		}
	}
	return nil
}

// tags writes them one by one: some registries refuse one manifest put twice at the same time.
// https://github.com/GoogleContainerTools/jib/issues/2470
func (w *upload) tags(ctx context.Context) error {
	if len(w.Tags) == 0 {
		return w.target.PutManifest(ctx, w.Root)
	}
	together, err := w.putTags(ctx)
	if err != nil {
		return err
	}
	for _, t := range w.todo {
		if err := w.guardBase(ctx, t); err != nil {
			return err
		}
		if !together {
			if err := w.putTag(ctx, t); err != nil {
				return fmt.Errorf("writing tag %q: %w", t.Name, err)
			}
		}
		if err := w.confirmTag(ctx, t); err != nil {
			return err
		}
		w.result.Tags = append(w.result.Tags, t.Name)
	}
	return nil
}

// putTags writes several tags by one request, where the target can do that and no tag has a condition: nobody sees some of them
// moved and others not.
func (w *upload) putTags(ctx context.Context) (bool, error) {
	target, ok := w.target.(severalTagger)
	if !ok || len(w.todo) < 2 || slices.ContainsFunc(w.todo, func(t compose.Tag) bool { return t.Fixed || t.Base != (v1.Hash{}) }) {
		return false, nil
	}
	var names []string
	for _, t := range w.todo {
		names = append(names, t.Name)
	}
	all, err := target.PutTags(ctx, names, w.Root)
	if err != nil {
		return false, fmt.Errorf("writing tags %s: %w", strings.Join(names, ", "), err)
	}
	return all, nil
}

// putTag writes a tag on the condition that it is what the guards have seen: registries that honour conditions close
// the gap between check and write. For a missing tag that matters only if the tag is fixed.
func (w *upload) putTag(ctx context.Context, t compose.Tag) error {
	tagged, ok := w.target.(tagger)
	was := t.Base
	if was == (v1.Hash{}) {
		was = w.existing[t.Name].Digest
	}
	if !ok || w.options.Force || was == (v1.Hash{}) && !t.Fixed {
		return w.target.PutTag(ctx, t.Name, w.Root)
	}
	return tagged.PutTagIf(ctx, t.Name, w.Root, was)
}

// guardBase looks up once more the tag that the list derives from.
func (w *upload) guardBase(ctx context.Context, t compose.Tag) error {
	tagged, ok := w.target.(tagger)
	if t.Base == (v1.Hash{}) || !ok {
		return nil
	}
	now, err := look(ctx, tagged, t.Name)
	if err != nil {
		return err
	}
	switch now.Digest {
	case t.Base:
		return nil
	case v1.Hash{}:
		err = fmt.Errorf("%w: tag %q was %s and is gone", compose.ErrMoved, t.Name, t.Base)
	default:
		err = fmt.Errorf("%w: tag %q was %s and is %s now", compose.ErrMoved, t.Name, t.Base, now.Digest)
	}
	return registry.WithHint(err, "someone else has changed it: look at what it is now, and repeat the edit")
}

// begin opens the target of an upload and uploads the content.
func (p *Push) begin(ctx context.Context, u compose.Upload, o Options, along []Referrer) *upload {
	to, finish, err := p.target(u.Repository)
	if err != nil {
		return &upload{Upload: u, err: err}
	}
	w := newUpload(u, to, UploadOptions{
		Note: p.Note, Confirm: o.Confirm, Force: o.Force && !u.Root.IsList(), Existing: p.existing(ctx, u),
	})
	w.finish = finish
	err = w.bring(ctx)
	if err == nil {
		err = p.bring(ctx, along, u.Repository, to)
	}
	if err != nil {
		w.err = finish(err)
	}
	return w
}

// existing returns what the tags of an upload are, as far as they were looked up. A tag that could not be read is
// left out.
func (p *Push) existing(ctx context.Context, u compose.Upload) map[string]v1.Descriptor {
	found := map[string]v1.Descriptor{}
	for ref := range p.tags {
		if ref.SameRepository(u.Repository) {
			if now, err := p.before(ctx, ref); err == nil {
				found[ref.Tag] = now.Descriptor()
			}
		}
	}
	return found
}

// end writes the tags, unless something went wrong before.
func (w *upload) end(ctx context.Context) {
	if w.err == nil {
		w.err = w.finish(w.tag(ctx))
	}
}

// report records the outcome of a target if this upload wrote it.
func (w *upload) report(out *Outcome) {
	if out.State == Failed || !out.Target.SameRepository(w.Repository) {
		return
	}
	tagged := slices.Contains(w.result.Tags, out.Target.Tag)
	switch {
	case w.err != nil && tagged && out.Target.Transport == registry.TransportRegistry: // a later tag failed; a file is finished as a whole
	case w.err != nil:
		out.State, out.Err = Failed, w.err
	case !w.result.Changed || len(w.Tags) > 0 && !tagged:
		out.State = Unchanged
	}
}

// summary returns a line for people.
func (w *upload) summary() string {
	name := w.Ref().String()
	for i, t := range w.Tags {
		if i == 0 {
			name = w.Repository.WithTag(t.Name).String()
		} else {
			name += ", " + t.Name
		}
	}
	if !w.result.Changed {
		return "unchanged " + name
	}
	return "wrote " + name + ": " + w.result.String()
}
