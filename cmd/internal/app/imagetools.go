package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/inspect/provenance"
	"mtool/registry"
	"mtool/registry/remote"
)

// ImagetoolsOptions are the options of buildx imagetools create.
type ImagetoolsOptions struct {
	EditOptions
	PublishOptions
	Tags        []registry.Ref
	Args        []string // the sources, those of files first
	Append      bool
	PreferIndex bool // make a list even of one image
}

// Imagetools is buildx imagetools create: it copies a single source that it need not change, or publishes a list of all
// sources.
func (e *Env) Imagetools(ctx context.Context, o ImagetoolsOptions) (publish.Done, error) {
	refs, overrides, err := e.DockerSources(ctx, o.Tags[0], o.Args)
	if err != nil {
		return publish.Done{}, err
	}
	if o.Append {
		done, err := e.Amend(ctx, AmendOptions{
			EditOptions: o.EditOptions, PublishOptions: o.PublishOptions, List: o.Tags[0], Sources: refs, Overrides: overrides,
			Published: true, To: o.Tags[1:],
		})
		if !errors.Is(err, errNoList) {
			return done, err
		}
		if err := e.confirmMissing(ctx, o.Tags[0], err); err != nil {
			return publish.Done{}, err
		}
		e.note("%s does not exist yet: creating it", o.Tags[0])
	}
	if len(refs) == 1 && o.copies() && overrides[0].Annotations == nil {
		done, err := e.carbonCopy(ctx, o, refs[0])
		if err == nil || !errors.Is(err, errOneImage) {
			return done, err
		}
	}
	return e.Create(ctx, CreateOptions{
		EditOptions: o.EditOptions, PublishOptions: o.PublishOptions, List: o.Tags[0], Sources: refs, Overrides: overrides,
		Push: true,
		To:   o.Tags[1:],
	})
}

// copies reports whether a copy of the source is what o describes.
func (o ImagetoolsOptions) copies() bool {
	return len(o.Platforms) == 0 && len(o.Annotations) == 0 && len(o.Targeted) == 0 && !o.Append
}

// confirmMissing looks again before a missing list is created: a registry that wrongly answers 404 once must not cost
// the existing entries. If the tag exists after all, it returns missing, the first error.
func (e names) confirmMissing(ctx context.Context, name registry.Ref, missing error) error {
	found, err := e.Client.Repository(name.At(registry.TransportRegistry), remote.PullPush).Tag(ctx, name.Tag)
	switch {
	case err == nil:
		return fmt.Errorf("%w; a second request found %s: nothing was written", missing, found.Digest)
	case errors.Is(err, registry.ErrNotFound):
		return nil
	}
	return err
}

// errOneImage means that the source is a single image, but the copy must be a list.
var errOneImage = errors.New("a single image")

// carbonCopy copies one source, unchanged.
func (e *Env) carbonCopy(ctx context.Context, o ImagetoolsOptions, from registry.Ref) (publish.Done, error) {
	targets, err := inRegistries(o.Tags...)
	if err != nil {
		return publish.Done{}, err
	}
	push := e.publisher(o.Compression).Start(ctx, targets)
	defer push.Close()
	object, report, err := e.readOne(ctx, from, lookup(o.From))
	if err != nil {
		return publish.Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if report.List == nil && o.PreferIndex {
		return publish.Done{}, errOneImage
	}
	if err := e.checkReport(report, inspect.CheckOptions{Require: o.Require}, o.Force); err != nil {
		return publish.Done{}, err
	}
	return e.publishReport(ctx, push, report, targets, pushing{PublishOptions: o.PublishOptions, force: o.Force})
}

// Tools is what buildx imagetools inspect shows: the tree under a name, and by platform the configs of its images and
// what their attestations say.
type Tools struct {
	Report     inspect.Report
	Configs    map[string]json.RawMessage
	Statements map[string]provenance.Documents
}

// ImagetoolsParts are what ImagetoolsInspect reads in addition to the tree.
type ImagetoolsParts struct{ Configs, Statements bool }

// ImagetoolsInspect reads Tools.
func (e *Env) ImagetoolsInspect(ctx context.Context, name registry.Ref, parts ImagetoolsParts) (Tools, error) {
	object, report, err := e.readOne(ctx, name, lookup(""))
	t := Tools{Report: report, Configs: map[string]json.RawMessage{}, Statements: map[string]provenance.Documents{}}
	if err != nil {
		return t, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	for _, img := range report.Images {
		at := platform.Format(img.Platform())
		if parts.Configs {
			if img.Err != nil {
				return t, img.Err
			}
			t.Configs[at] = img.ConfigBody
		}
		if parts.Statements {
			if t.Statements[at], err = provenance.ReadDocuments(ctx, img); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}
