package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/source"
)

// LoadOptions are the options of Load. If Name is zero, the file must have one.
type LoadOptions struct {
	File   string
	Name   registry.Ref
	Engine bool // into Docker Engine instead of the store
	// Platform is that of the image for Docker Engine; zero means the engine's.
	Platform v1.Platform
}

// Load copies the images and lists of an archive or layout into the store, or one image of each into Docker Engine.
// With a Name, the file must have one image or list only. If an error occurs, made is what was loaded before.
func (e *Env) Load(ctx context.Context, o LoadOptions) (made []publish.Made, err error) {
	ref, err := fileRef(o.File)
	if err != nil {
		return nil, err
	}
	refs := []registry.Ref{ref}
	if o.Name == (registry.Ref{}) {
		if refs, err = archive.List(ctx, ref); err != nil {
			return nil, err
		}
	}
	if refs, err = e.withNames(o.File, refs); err != nil {
		return nil, err
	}
	for _, ref := range refs {
		one, err := e.loadOne(ctx, ref, o)
		if err != nil {
			return made, err
		}
		made = append(made, one)
	}
	return made, nil
}

// withNames returns those of several images that have a name, and notes the others.
func (e notes) withNames(file string, refs []registry.Ref) ([]registry.Ref, error) {
	if len(refs) == 1 {
		return refs, nil
	}
	var named []registry.Ref
	var nameless error
	for _, ref := range refs {
		if _, err := statedName(file, []string{ref.Tag}); err == nil {
			named = append(named, ref)
		} else {
			nameless = err
			e.note("note: %s has no name and is left out; to load it: mtool load %s -t NAME", ref, ref)
		}
	}
	if len(named) == 0 {
		return nil, nameless
	}
	return named, nil
}

func (e *Env) loadOne(ctx context.Context, ref registry.Ref, o LoadOptions) (publish.Made, error) {
	object, report, err := e.readOne(ctx, ref, source.Options{})
	if err != nil {
		return publish.Made{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if o.Name == (registry.Ref{}) {
		if o.Name, err = statedName(o.File, append([]string{ref.Tag}, object.Names...)); err != nil {
			return publish.Made{}, err
		}
	}
	if err := e.checkReport(report, inspect.CheckOptions{}, false); err != nil {
		return publish.Made{}, err
	}
	to := registry.TransportStore
	if o.Engine {
		to = registry.TransportEngine
	}
	if err := engineOnly(o.Platform, to); err != nil {
		return publish.Made{}, err
	}
	return e.publishOne(ctx, report, o.Name.At(to), pushing{engine: o.Platform})
}

// fileRef returns the reference of a path, with or without a transport.
func fileRef(file string) (registry.Ref, error) {
	if ref, err := registry.ParseRef(file); err == nil && ref.IsFile() {
		return ref, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return registry.Ref{}, registry.WithKind(fmt.Errorf("loading %q: no such file", file), registry.ErrNotFound)
	}
	if info.IsDir() {
		return registry.ParseRef("oci:" + file)
	}
	return registry.ParseRef("oci-archive:" + file)
}

// statedName returns the first complete reference among the names: a tag alone is none.
func statedName(file string, names []string) (registry.Ref, error) {
	for _, name := range names {
		if ref, err := registry.ParseRef("docker://" + name); err == nil && strings.ContainsAny(name, "/:") {
			return ref, nil
		}
	}
	return registry.Ref{}, registry.WithHint(
		registry.Usagef("loading %q: the file has no name for the image", file),
		fmt.Sprintf("mtool load %s -t NAME", file),
	)
}

// SaveOptions are the options of Save.
type SaveOptions struct {
	Names []registry.Ref
	To    registry.Ref // an archive, or a directory for one name
	Force bool         // save images with wrong claims too
}

// Save writes images and lists, with every platform, into one archive, each under its full name. If it fails, an old
// file stays.
func (e *Env) Save(ctx context.Context, o SaveOptions) (made []publish.Made, err error) {
	to := o.To
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
		return publish.Made{}, registry.WithHint(registry.Usagef("saving %q: it is already a file", ref),
			"mtool copy "+ref.String()+" oci-archive:FILE")
	}
	object, report, err := e.readOne(ctx, e.draftFirst(ctx, ref), source.Options{Order: source.LocalFirst})
	if err != nil {
		return publish.Made{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, inspect.CheckOptions{}, force); err != nil {
		return publish.Made{}, err
	}
	if to.Tag = ref.WithTag(ref.Tag).Name(); ref.Tag == "" {
		to.Tag = "" // a digest is no name
	}
	if err := publish.Whole(ctx, report, to, w, e.tell); err != nil {
		return publish.Made{}, err
	}
	return publish.MadeAt(ref.At(registry.TransportStore), report.Root.Digest), nil
}

// draftFirst returns the draft of a bare name, if there is one: it is newer than the store's image.
func (e names) draftFirst(ctx context.Context, ref registry.Ref) registry.Ref {
	if !ref.Bare || ref.Digest != (v1.Hash{}) {
		return ref
	}
	if _, err := e.Drafts.Load(ctx, ref); errors.Is(err, registry.ErrNotFound) {
		return ref
	}
	return ref.At(registry.TransportDraft)
}
