package app

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/source"
)

// SaveOptions say what is saved where.
type SaveOptions struct {
	Names []registry.Ref
	File  string
	Force bool // although a claim is wrong
}

// Save writes images and lists, with every platform, into one OCI archive, each under its full name. The file is there
// when all of them are in it; otherwise an old one stays.
func (e *Env) Save(ctx context.Context, o SaveOptions) (made []publish.Made, err error) {
	to := registry.Ref{Transport: registry.TransportArchive, Path: o.File}
	w, err := archive.Create(to)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	for _, ref := range o.Names {
		one, err := e.saveOne(ctx, w, to, ref, o.Force)
		if err != nil {
			return nil, err
		}
		made = append(made, one)
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	e.note("wrote %s", to)
	return made, nil
}

func (e names) saveOne(ctx context.Context, w *archive.Writer, to, ref registry.Ref, force bool) (publish.Made, error) {
	if ref.IsFile() {
		return publish.Made{}, registry.WithHint(registry.Usagef("saving %q: it is a file already", ref),
			"mtool copy "+ref.String()+" oci-archive:FILE")
	}
	object, report, err := e.readOne(ctx, e.draftFirst(ctx, ref), source.Options{Order: source.LocalFirst})
	if err != nil {
		return publish.Made{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, nil, force); err != nil {
		return publish.Made{}, err
	}
	if to.Tag = ref.WithTag(ref.Tag).Name(); ref.Tag == "" {
		to.Tag = "" // asked for by digest: no name
	}
	plan, err := compose.PlanOf(report, []registry.Ref{to})
	if err != nil {
		return publish.Made{}, err
	}
	if _, err := publish.Upload(ctx, plan.Uploads[0], w, publish.UploadOptions{Note: e.tell}); err != nil {
		return publish.Made{}, err
	}
	return publish.MadeAt(ref.At(registry.TransportStore), plan.Root.Digest), nil
}

// draftFirst is the draft of a bare name where there is one: what is saved is what is here, and a draft is the newest.
func (e names) draftFirst(ctx context.Context, ref registry.Ref) registry.Ref {
	if !ref.Bare || ref.Digest != (v1.Hash{}) {
		return ref
	}
	if _, err := e.Drafts.Load(ctx, ref); errors.Is(err, registry.ErrNotFound) {
		return ref
	}
	return ref.At(registry.TransportDraft)
}
