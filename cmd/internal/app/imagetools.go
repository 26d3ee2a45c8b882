package app

import (
	"cmp"
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

// ImagetoolsOptions are those of buildx imagetools create.
type ImagetoolsOptions struct {
	EditOptions
	PublishOptions
	Tags        []registry.Ref
	Words       []string // the sources, those of --file first
	Append      bool
	PreferIndex bool // a list even of one image
}

// Imagetools is buildx imagetools create: a carbon copy of one source that is not changed, or else a list of all of
// them, published at once.
func (e *Env) Imagetools(ctx context.Context, o ImagetoolsOptions) (publish.Done, error) {
	refs, stated, err := e.dockerSources(ctx, o.Tags[0], o.Words)
	if err != nil {
		return publish.Done{}, err
	}
	if o.Append {
		done, err := e.Amend(ctx, AmendOptions{
			EditOptions: o.EditOptions, PublishOptions: o.PublishOptions, List: o.Tags[0], Sources: refs, Overrides: stated,
			Published: true, To: o.Tags[1:],
		})
		if !errors.Is(err, errNoList) {
			return done, err
		}
		if err := e.nothingYet(ctx, o.Tags[0], err); err != nil {
			return publish.Done{}, err
		}
		e.note("%s is not there yet: made anew", o.Tags[0])
	}
	if len(refs) == 1 && o.copies() && stated[0].Annotations == nil {
		done, err := e.carbonCopy(ctx, o, refs[0])
		if err == nil || !errors.Is(err, errOneImage) {
			return done, err
		}
	}
	return e.Create(ctx, CreateOptions{
		EditOptions: o.EditOptions, PublishOptions: o.PublishOptions, List: o.Tags[0], Sources: refs, Overrides: stated,
		Push: true,
		To:   o.Tags[1:],
	})
}

// copies reports whether nothing is asked for that a copy does not have.
func (o ImagetoolsOptions) copies() bool {
	return len(o.Platforms) == 0 && len(o.Annotations) == 0 && len(o.Targeted) == 0 && !o.Append
}

// nothingYet is asked before a list is made anew where none was found: one 404 of a registry that is not of one mind
// must not cost the entries that are there. It returns missing, the error of the first look, when the tag is there
// after all.
func (e names) nothingYet(ctx context.Context, name registry.Ref, missing error) error {
	there, err := e.Client.Repository(name.At(registry.TransportRegistry), remote.PullPush).Tag(ctx, name.Tag)
	switch {
	case err == nil:
		return fmt.Errorf("%w; asked again, it has %s there: nothing was written", missing, there.Digest)
	case errors.Is(err, registry.ErrNotFound):
		return nil
	}
	return err
}

// errOneImage means that the source is a single image, which cannot be copied where a list is wanted.
var errOneImage = errors.New("a single image")

func (e *Env) carbonCopy(ctx context.Context, o ImagetoolsOptions, from registry.Ref) (publish.Done, error) {
	targets := inRegistries(o.Tags...)
	push := e.publisher().Start(ctx, targets)
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

// Tools is what buildx imagetools inspect shows: the tree under a name and, as far as they are wanted, the configs of
// its images and what their attestations say, by platform.
type Tools struct {
	Report     inspect.Report
	Configs    map[string]json.RawMessage
	Statements map[string]Statements
}

// ImagetoolsWanted says what ImagetoolsInspect reads in addition to the tree.
type ImagetoolsWanted struct{ Configs, Statements bool }

// ImagetoolsInspect reads Tools.
func (e *Env) ImagetoolsInspect(ctx context.Context, name registry.Ref, want ImagetoolsWanted) (Tools, error) {
	object, report, err := e.readOne(ctx, name, lookup(""))
	t := Tools{Report: report, Configs: map[string]json.RawMessage{}, Statements: map[string]Statements{}}
	if err != nil {
		return t, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	for _, img := range report.Images {
		at := platform.Format(img.Platform())
		if want.Configs {
			if img.Err != nil {
				return t, img.Err
			}
			t.Configs[at] = img.ConfigBody
		}
		if want.Statements {
			if t.Statements[at], err = statements(ctx, img); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// Statements are what the attestations of one image say, in the names that buildx's templates have for it; nil where
// they say nothing.
type Statements struct {
	Provenance *Provenance
	SBOM       *SBOM
}

// Provenance says how an image was built.
type Provenance struct {
	SLSA any `json:",omitempty"`
}

// SBOM says what is in an image; several of it are several scans.
type SBOM struct {
	SPDX            any   `json:",omitempty"`
	AdditionalSPDXs []any `json:",omitempty"`
}

// statements reads the in-toto statements about an image.
func statements(ctx context.Context, img inspect.Image) (Statements, error) {
	var all Statements
	for _, a := range img.Attestations {
		if a.Err != nil {
			return all, a.Err
		}
	}
	for _, s := range provenance.Read(ctx, img, provenance.Provenance, provenance.SBOM) {
		var predicate any
		if err := cmp.Or(s.Err, json.Unmarshal(s.Predicate, &predicate)); err != nil {
			return all, fmt.Errorf("reading attestation %s: %w", s.Blob.Digest, err)
		}
		switch kind := provenance.KindOf(s.Statement.Predicate); {
		case kind == provenance.Provenance:
			all.Provenance = &Provenance{SLSA: predicate}
		case s.Statement.Predicate != "https://spdx.dev/Document":
		case all.SBOM == nil:
			all.SBOM = &SBOM{SPDX: predicate}
		default:
			all.SBOM.AdditionalSPDXs = append(all.SBOM.AdditionalSPDXs, predicate)
		}
	}
	return all, nil
}
