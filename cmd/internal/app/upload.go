package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/remote"
)

// upload is what one repository or file gets, under way.
type upload struct {
	compose.Upload
	publishing *compose.Publishing
	finish     func(error) error
	result     compose.Result
	err        error
}

// begin opens the target and brings the content.
func (e *Env) begin(ctx context.Context, u compose.Upload, targets []target, o publishOptions) upload {
	w := upload{Upload: u}
	to, finish, err := e.writable(u.Repository)
	if err != nil {
		w.err = err
		return w
	}
	options := compose.PublishOptions{
		Note: e.Transport.Note, Confirm: o.Confirm, Force: o.Force && !u.Root.IsList(), Existing: existing(targets, u.Repository),
	}
	w.publishing, w.finish = u.Begin(to, options), finish
	err = w.publishing.Content(ctx)
	if err == nil && o.besides != nil {
		err = o.besides(ctx, u.Repository, to)
	}
	if err != nil {
		w.err = finish(err)
		w.publishing = nil
	}
	return w
}

// tag writes the tags, unless something went wrong before.
func (w *upload) tag(ctx context.Context) {
	if w.publishing == nil {
		return
	}
	w.result, w.err = w.publishing.Tag(ctx)
	w.err = w.finish(w.err)
}

// settle says what became of one target when it is one of this upload.
func (w *upload) settle(out *Outcome) {
	if out.State == Failed || !samePlace(out.Target, w.Repository) {
		return
	}
	tagged := slices.Contains(w.result.Tags, out.Target.Tag)
	switch {
	case w.err != nil && tagged && isRegistry(out.Target): // a tag after it failed; a file is finished as a whole
	case w.err != nil:
		out.State, out.Err = Failed, w.err
	case !w.result.Changed || len(w.Tags) > 0 && !tagged:
		out.State = Unchanged
	}
}

func (d *Done) each(f func(*Outcome)) {
	for i := range d.Targets {
		if d.Targets[i].State != Failed {
			f(&d.Targets[i])
		}
	}
}

// writable opens a target; finish closes it, or takes back what it can after an error.
func (e *Env) writable(ref registry.Ref) (to registry.Target, finish func(error) error, err error) {
	switch {
	case ref.IsFile():
		w, err := archive.Create(ref)
		if err != nil {
			return nil, nil, err
		}
		return w, func(err error) error {
			if err != nil {
				return errors.Join(err, w.Abort())
			}
			return w.Close()
		}, nil
	case ref.Transport == registry.TransportStore:
		w := e.Store.Writer(ref)
		return w, func(err error) error { return errors.Join(err, w.Close()) }, nil
	}
	return e.Client.Repository(ref, remote.PullPush), func(err error) error { return err }, nil
}

func (e *Env) sayUpload(w *upload) {
	if w.err != nil {
		return
	}
	name := w.Repository.String()
	for i, t := range w.Tags {
		if i == 0 {
			name = w.Repository.WithTag(t.Name).String()
		} else {
			name += ", " + t.Name
		}
	}
	if len(w.Tags) == 0 {
		name = w.Ref().String()
	}
	e.sayResult(w.result, name)
}

func (e *Env) sayResult(r compose.Result, name string) {
	if !r.Changed {
		e.note("unchanged %s", name)
		return
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{r.Present, "already there"}, {r.Mounted, "mounted"}, {r.Copied, fmt.Sprintf("copied (%s)", Bytes(r.Bytes))}} {
		switch {
		case p.n == 0:
		case len(parts) > 0:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		case p.n == 1:
			parts = append(parts, "1 blob "+p.what)
		default:
			parts = append(parts, fmt.Sprintf("%d blobs %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no blobs to copy"}
	}
	e.note("wrote %s: %s", name, strings.Join(parts, ", "))
}

// Bytes is a size for people, in powers of 1000.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for ; f >= 1000; unit++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTPE"[unit])
}
