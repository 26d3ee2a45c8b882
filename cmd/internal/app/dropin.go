package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

// DockerManifest is what "docker manifest inspect" shows of one name.
type DockerManifest struct {
	Report inspect.Report
	// Entry is the one image asked for, nil for all.
	Entry *inspect.Image
}

// Unread is why an image that is shown in full can't be: its manifest, or the config that alone states its platform.
func (d DockerManifest) Unread() error {
	images := d.Report.Images
	if d.Entry != nil {
		images = []inspect.Image{*d.Entry}
	}
	var errs []error
	for _, image := range images {
		if image.Manifest.Body == nil || image.Descriptor.Platform == nil {
			errs = append(errs, image.Err)
		}
	}
	return errors.Join(errs...)
}

// ManifestCreate is docker manifest create: a draft, which is only changed when it is there already if amend says so.
// Sources are looked for in the store and in registries, docker's one-word names too.
func (e *Env) ManifestCreate(ctx context.Context, list registry.Ref, words []string, amend bool) (publish.Done, error) {
	refs, stated, err := e.dockerSources(ctx, list, words)
	if err != nil {
		return publish.Done{}, err
	}
	_, err = e.Drafts.Load(ctx, list)
	switch {
	case err == nil && !amend:
		return publish.Done{}, registry.WithHint(
			fmt.Errorf("creating %q: %w: refusing to amend an existing manifest list with no --amend flag", list,
				registry.ErrConflict),
			"mtool manifest create --amend LIST MANIFEST…, or begin anew after mtool manifest rm LIST",
		)
	case err == nil:
		return e.Amend(ctx, AmendOptions{List: list, Sources: refs, Overrides: stated})
	case !errors.Is(err, registry.ErrNotFound):
		return publish.Done{}, err
	}
	return e.Create(ctx, CreateOptions{List: list, Sources: refs, Overrides: stated})
}

// dockerSources are names as docker has them: what is not in the store is in a registry, and a word alone on Docker
// Hub.
func (e names) dockerSources(
	ctx context.Context, list registry.Ref, words []string,
) ([]registry.Ref, []compose.Overrides, error) {
	refs, stated, err := ParseSources(list, words)
	if err != nil {
		return nil, nil, registry.Usagef("%w", err)
	}
	for i, ref := range refs {
		if !ref.Local() {
			continue
		}
		object, err := e.Store.Get(ctx, ref.At(registry.TransportStore))
		if err == nil {
			if err := object.Close(); err != nil {
				return nil, nil, err
			}
			continue
		}
		if !errors.Is(err, registry.ErrNotFound) {
			return nil, nil, err
		}
		if refs[i], err = registry.ParseRef("docker://" + ref.Name()); err != nil {
			return nil, nil, err
		}
	}
	return refs, stated, nil
}

// ManifestInspect is docker manifest inspect: a draft of that name, or else what inspect finds. With an entry, that
// image of the list.
func (e names) ManifestInspect(ctx context.Context, name registry.Ref, entry string) (DockerManifest, error) {
	list, err := e.Drafts.Load(ctx, name)
	switch {
	case err == nil:
		e.note("note: %s is a draft here, not what a registry may have", name.Familiar())
		return e.inspectDraft(ctx, list, entry)
	case !errors.Is(err, registry.ErrNotFound):
		return DockerManifest{}, err
	}
	object, report, err := e.readOne(ctx, name, lookup(""))
	if err != nil {
		return DockerManifest{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if entry == "" {
		return DockerManifest{Report: report}, nil
	}
	if list, _, err = compose.FromPublished(report); err != nil {
		return DockerManifest{}, err
	}
	return selected(list, report, entry)
}

func (e names) inspectDraft(ctx context.Context, list compose.List, entry string) (DockerManifest, error) {
	list, all, err := e.resolve(ctx, list)
	if err != nil {
		return DockerManifest{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	report, err := list.Report()
	if err != nil {
		return DockerManifest{}, err
	}
	if entry == "" {
		return DockerManifest{Report: report}, nil
	}
	return selected(list, report, entry)
}

func selected(list compose.List, report inspect.Report, entry string) (DockerManifest, error) {
	found, err := list.Select(entry)
	switch {
	case err != nil:
		return DockerManifest{}, fmt.Errorf("looking into %q: %w", list.Name, err)
	case len(found) > 1:
		return DockerManifest{}, fmt.Errorf("looking into %q: %w: %q is %d entries", list.Name, compose.ErrAmbiguous, entry,
			len(found))
	}
	return DockerManifest{Report: report, Entry: list.Entries[found[0]].Image}, nil
}

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

// errOneImage: the source is a single image, of which a list is to be made. errNoList: there is no list to amend.
var (
	errOneImage = errors.New("a single image")
	errNoList   = errors.New("no such list")
)

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
	if err := e.checkReport(report, o.Require, o.Force); err != nil {
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
