package app

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/baseimage"
	"mtool/registry"
	"mtool/registry/source"
)

// RebaseOptions are the options of Rebase: New replaces Old.
type RebaseOptions struct {
	ImageOptions
	Old, New registry.Ref
}

// Rebase moves the images of a list, or one image, to another base.
func (e *Env) Rebase(ctx context.Context, o RebaseOptions) (publish.Done, error) {
	bases, err := e.read(ctx, []registry.Ref{o.Old, o.New}, lookup(""), reading{})
	if err != nil {
		return publish.Done{}, err
	}
	defer bases.Close() //nolint:errcheck // opened for reading only
	return e.editImages(ctx, o.ImageOptions, func(l compose.List) (compose.List, []compose.Change, error) {
		return l.Rebase(bases.reports[0], bases.reports[1], false)
	})
}

// CheckBaseOptions are the options of CheckBase.
type CheckBaseOptions struct {
	Name registry.Ref
	Base string // of all images; "" means the one that each image names
}

// CheckBase compares each image of a list with the current version of its base. It is an error if one is outdated, or
// unknown since its base can't be read.
func (e *Env) CheckBase(ctx context.Context, o CheckBaseOptions) ([]baseimage.Standing, error) {
	object, report, err := e.readOne(ctx, o.Name, lookup(""))
	if err != nil {
		return nil, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	names := make([]string, len(report.Images))
	bases := map[string]*baseRead{}
	for i, img := range report.Images {
		if names[i] = o.Base; names[i] == "" {
			names[i] = img.Base().Name
		}
		bases[names[i]] = &baseRead{}
	}
	var group errgroup.Group // the client limits the requests in flight
	for name, read := range bases {
		if name != "" {
			group.Go(func() error { read.run(ctx, e, name); return nil })
		}
	}
	_ = group.Wait()
	var all []baseimage.Standing
	failed := 0
	for i, img := range report.Images {
		read := bases[names[i]]
		s := baseimage.Judge(img, names[i], read.report, read.err)
		if s.State != baseimage.Current {
			failed++
		}
		all = append(all, s)
	}
	if failed > 0 {
		err := fmt.Errorf("%w: %d of %s of %q not on the current base", inspect.ErrMismatch, failed,
			inspect.Count(len(all), "image"), o.Name)
		return all, errors.Join(err, unread(bases))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: %q has no images", inspect.ErrMismatch, o.Name)
	}
	return all, nil
}

// baseRead is the current version of a base image.
type baseRead struct {
	report inspect.Report
	err    error
}

func (b *baseRead) run(ctx context.Context, e *Env, name string) {
	ref, err := registry.ParseRef(name)
	if err != nil {
		b.err = err
		return
	}
	if ref.Tag != "" {
		ref.Digest = v1.Hash{} // of NAME:TAG@DIGEST the tag is current
	}
	object, report, err := e.readOne(ctx, ref, source.Options{Order: source.RegistryFirst, From: "registry"})
	if b.report, b.err = report, err; err == nil {
		b.err = object.Close()
	}
}

// unread joins the errors of bases that could not be read.
func unread(bases map[string]*baseRead) error {
	var errs []error
	for _, b := range bases {
		errs = append(errs, b.err)
	}
	return errors.Join(errs...)
}
