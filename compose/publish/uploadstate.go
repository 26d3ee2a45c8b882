package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

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

// upload is the state of one Upload. It has two steps, so that several uploads can upload their content before any of
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

// unchanged reports whether every tag has the root already.
func (w *upload) unchanged() bool { return len(w.Tags) > 0 && len(w.todo) == 0 }

// each runs n steps under the limit. It returns the first error, which cancels the others.
func (w *upload) each(ctx context.Context, n int, step func(context.Context, int) error) error {
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(w.options.Concurrency)
	for i := range n {
		if group.Err() != nil {
			break
		}
		g.Go(func() error { return step(group, i) })
	}
	return errors.Join(g.Wait(), ctx.Err())
}
