package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
)

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
