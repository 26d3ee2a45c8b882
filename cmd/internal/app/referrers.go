package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
)

// maxReferrers bounds how many artifacts go along: signatures have signatures, and a registry could name them without end.
const maxReferrers = 1000

// subject is something that others may refer to, by digest, where it was found.
type subject struct {
	ref    registry.Ref // a repository or file; tag and digest don't matter
	digest v1.Hash
}

// companion is an artifact that refers to a subject, or that cosign keeps under a tag named after it.
type companion struct {
	subject v1.Hash
	tag     string // cosign's; "" for a referrer
	object  registry.Object
	report  inspect.Report
}

// subjectsOf are the root and everything in it.
func subjectsOf(r inspect.Report) []subject {
	all := []subject{{r.Ref, r.Root.Digest}}
	for _, img := range r.Images {
		all = append(all, subject{r.Ref, img.Descriptor.Digest})
		for _, a := range slices.Concat(img.Attestations, img.Artifacts) {
			all = append(all, subject{r.Ref, a.Descriptor.Digest})
		}
	}
	return all
}

// subjectsOfList are the images of a new list, where they come from. One that was changed here has no referrers.
func subjectsOfList(l compose.List) []subject {
	var all []subject
	for _, e := range l.Entries {
		if e.Original != (v1.Hash{}) {
			continue
		}
		from := e.Source
		if !from.IsFile() && e.Origin != "" {
			from = from.At(e.Origin)
		}
		all = append(all, subject{from, e.Digest()})
		for _, a := range e.Attestations {
			all = append(all, subject{from, a.Digest()})
		}
	}
	return all
}

// entourage is what goes along with some content. Close releases its files.
type entourage struct {
	env *Env
	all []companion
}

func (g entourage) Close() error {
	var errs []error
	for _, c := range g.all {
		errs = append(errs, c.object.Close())
	}
	return errors.Join(errs...)
}

// alongside finds what refers to the subjects, and to that in turn.
func (e *Env) alongside(ctx context.Context, subjects []subject) (entourage, error) {
	g := entourage{env: e}
	seen := map[v1.Hash]bool{}
	for len(subjects) > 0 {
		s := subjects[0]
		subjects = subjects[1:]
		if seen[s.digest] {
			continue
		}
		seen[s.digest] = true
		found, err := e.companions(ctx, s)
		g.all = append(g.all, found...)
		if err == nil && len(g.all) > maxReferrers {
			err = fmt.Errorf("%w: more than %d", inspect.ErrLimit, maxReferrers)
		}
		if err != nil {
			return entourage{}, errors.Join(fmt.Errorf("looking for what refers to %s in %q: %w", s.digest, s.ref, err), g.Close())
		}
		for _, c := range found {
			subjects = append(subjects, subject{s.ref, c.report.Root.Digest})
		}
	}
	e.note("%d referrers go along", len(g.all))
	return g, nil
}

func (e *Env) companions(ctx context.Context, s subject) ([]companion, error) {
	var all []companion
	rows, err := e.referrers(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, d := range rows {
		object, report, err := e.readOne(ctx, s.ref.WithDigest(d.Digest), lookup(""))
		if err != nil {
			return all, err
		}
		all = append(all, companion{subject: s.digest, object: object, report: report})
	}
	for _, suffix := range []string{".sig", ".att", ".sbom"} { // https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
		tag := registry.FallbackTag(s.digest) + suffix
		object, report, err := e.readOne(ctx, s.ref.WithTag(tag), lookup(""))
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, companion{subject: s.digest, tag: tag, object: object, report: report})
	}
	return all, nil
}

// referrers asks a registry; elsewhere there is the tag that stands in for its answer.
func (e *Env) referrers(ctx context.Context, s subject) ([]v1.Descriptor, error) {
	if s.ref.Transport == registry.TransportRegistry {
		all, _, err := e.Client.Repository(s.ref, remote.Pull).Referrers(ctx, s.digest)
		return all, err
	}
	object, err := e.open(ctx, s.ref.WithTag(registry.FallbackTag(s.digest)), lookup(""))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := registry.DecodeReferrers(object.Root.Body)
	return rows, errors.Join(err, object.Close())
}

// bring puts the companions into a place, and where no registry finds referrers by itself also the tags that name them.
func (g entourage) bring(ctx context.Context, to registry.Ref, target registry.Target) error {
	bySubject := map[v1.Hash][]v1.Descriptor{}
	var order []v1.Hash
	for _, c := range g.all {
		if err := g.env.bringOne(ctx, c, to, target); err != nil {
			return fmt.Errorf("bringing %s, which refers to %s: %w", c.report.Root.Digest, c.subject, err)
		}
		if c.tag != "" {
			continue
		}
		if bySubject[c.subject] == nil {
			order = append(order, c.subject)
		}
		bySubject[c.subject] = append(bySubject[c.subject], rowOf(c.report))
	}
	for _, digest := range order {
		if err := g.env.nameReferrers(ctx, digest, bySubject[digest], to, target); err != nil {
			return fmt.Errorf("naming what refers to %s: %w", digest, err)
		}
	}
	return nil
}

func (e *Env) bringOne(ctx context.Context, c companion, to registry.Ref, target registry.Target) error {
	plan, err := compose.PlanOf(c.report, []registry.Ref{to.WithTag(c.tag)})
	if err != nil {
		return err
	}
	u := plan.Uploads[0]
	if c.tag == "" {
		u.Tags = nil
	}
	_, err = u.Publish(ctx, target, compose.PublishOptions{Note: e.Transport.Note})
	return err
}

// rowOf is the descriptor that the specification wants in a list of referrers.
func rowOf(r inspect.Report) v1.Descriptor {
	var m struct {
		ArtifactType string            `json:"artifactType"`
		Config       v1.Descriptor     `json:"config"`
		Annotations  map[string]string `json:"annotations"`
	}
	_ = json.Unmarshal(r.Root.Body, &m) // it was read before
	d := r.Root.Descriptor()
	d.Annotations = m.Annotations
	if d.ArtifactType = m.ArtifactType; d.ArtifactType == "" {
		d.ArtifactType = string(m.Config.MediaType)
	}
	return d
}

// nameReferrers writes the fallback tag, what is there already kept.
func (e *Env) nameReferrers(ctx context.Context, digest v1.Hash, rows []v1.Descriptor, to registry.Ref, target registry.Target) error {
	var there []v1.Descriptor
	if to.Transport == registry.TransportRegistry {
		have, known, err := e.Client.Repository(to, remote.PullPush).Referrers(ctx, digest)
		if err != nil || known {
			return err
		}
		there = have
	}
	for _, d := range rows {
		if !slices.ContainsFunc(there, func(o v1.Descriptor) bool { return o.Digest == d.Digest }) {
			there = append(there, d)
		}
	}
	body, err := json.Marshal(struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Manifests     []v1.Descriptor `json:"manifests"`
	}{2, types.OCIImageIndex, there})
	if err != nil {
		return err
	}
	m, err := registry.NewManifest(types.OCIImageIndex, body)
	if err != nil {
		return err
	}
	return target.PutTag(ctx, registry.FallbackTag(digest), m)
}
