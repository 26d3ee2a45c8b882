package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose/publish"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/source"
)

// LoadOptions say which file is loaded, and under which name; a zero Name takes the one that the file states.
type LoadOptions struct {
	File   string
	Name   registry.Ref
	Engine bool // into Docker Engine instead of the store
	// Platform of the image that Docker Engine gets of a list; zero is the engine's own.
	Platform v1.Platform
}

// Load copies the images and lists of an archive or layout into the store, or one image of each into Docker Engine.
// With a name there must be one only. What was loaded before an error is in the answer.
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

// withNames is those of several images that have a name; each of the others is said.
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
	if err := e.checkReport(report, nil, false); err != nil {
		return publish.Made{}, err
	}
	place := registry.TransportStore
	if o.Engine {
		place = registry.TransportEngine
	}
	if err := engineOnly(o.Platform, place); err != nil {
		return publish.Made{}, err
	}
	return e.publishOne(ctx, report, o.Name.At(place), pushing{engine: o.Platform})
}

// fileRef is the reference of a path, which needs no transport here.
func fileRef(file string) (registry.Ref, error) {
	if ref, err := registry.ParseRef(file); err == nil && ref.IsFile() {
		return ref, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return registry.Ref{}, fmt.Errorf("loading %q: %w: no such file", file, registry.ErrNotFound)
	}
	if info.IsDir() {
		return registry.ParseRef("oci:" + file)
	}
	return registry.ParseRef("oci-archive:" + file)
}

// statedName is the first whole reference among the names; a tag alone names no image.
func statedName(file string, names []string) (registry.Ref, error) {
	for _, name := range names {
		if ref, err := registry.ParseRef("docker://" + name); err == nil && strings.ContainsAny(name, "/:") {
			return ref, nil
		}
	}
	return registry.Ref{}, registry.WithHint(
		registry.Usagef("loading %q: the file states no name for it", file),
		fmt.Sprintf("mtool load %s -t NAME", file),
	)
}

// Row is a line of Ls.
type Row struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"` // draft, list, image, or corrupt
	Platforms []string `json:"platforms"`
	Digest    string   `json:"digest,omitempty"`
}

// Ls lists drafts and the images of the store, in the order of their names.
func (e names) Ls(ctx context.Context) ([]Row, error) {
	drafts, err := e.Drafts.List(ctx)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, d := range drafts {
		row := Row{Name: d.Ref.Familiar(), Kind: "draft"}
		if d.Err != nil {
			row.Kind = "corrupt"
			e.note("warning: %v", d.Err)
		} else {
			row.Platforms = platformNames(d.List.Platforms())
			if root, err := d.List.Encode(); err == nil {
				row.Digest = root.Digest.String()
			}
		}
		rows = append(rows, row)
	}
	images, err := e.Store.List(ctx)
	if err != nil {
		return rows, err
	}
	for _, image := range images {
		rows = append(rows, e.storeRow(ctx, image.Ref))
	}
	return rows, nil
}

func (e names) storeRow(ctx context.Context, ref registry.Ref) Row {
	row := Row{Name: ref.Familiar(), Kind: "corrupt"}
	object, report, err := e.readOne(ctx, ref.At(registry.TransportStore), source.Options{From: "store"})
	if err != nil {
		e.note("warning: %v", err)
		return row
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	row.Kind, row.Digest = "image", report.Root.Digest.String()
	if report.List != nil {
		row.Kind = "list"
	}
	for _, img := range report.Images {
		row.Platforms = append(row.Platforms, platform.Format(img.Platform()))
	}
	return row
}

// Rm deletes the draft and the store image of each name, or the one that a transport names, and goes on past what is
// missing.
func (e names) Rm(ctx context.Context, refs []registry.Ref) error {
	var errs []error
	for _, ref := range refs {
		errs = append(errs, e.rmOne(ctx, ref))
	}
	return errors.Join(errs...)
}

func (e names) rmOne(ctx context.Context, ref registry.Ref) error {
	if ref.IsFile() {
		return registry.Usagef("removing %q: rm deletes drafts and store images only", ref)
	}
	places := []struct {
		transport registry.Transport
		remove    func(context.Context, registry.Ref) error
	}{{registry.TransportDraft, e.Drafts.Remove}, {registry.TransportStore, e.Store.Remove}}
	var errs []error
	removed := false
	for _, p := range places {
		local := ref.Transport == registry.TransportDraft || ref.Transport == registry.TransportStore
		if local && ref.Transport != p.transport {
			continue
		}
		err := p.remove(ctx, ref.At(p.transport))
		switch {
		case err == nil:
			removed = true
			e.note("removed %s %s", p.transport, ref.Familiar())
		case !errors.Is(err, registry.ErrNotFound):
			errs = append(errs, err)
		}
	}
	if !removed && len(errs) == 0 {
		return fmt.Errorf("removing %q: %w: neither a draft nor a store image", ref.Name(), registry.ErrNotFound)
	}
	return errors.Join(errs...)
}
