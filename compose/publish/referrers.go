package publish

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

// maxReferrers limits the artifacts that are copied: signatures have signatures, and a registry could name them
// without end.
const maxReferrers = 1000

func closeAll(all []Referrer) error {
	var errs []error
	for _, r := range all {
		errs = append(errs, r.object.Close())
	}
	return errors.Join(errs...)
}

// referrers finds what refers to the subjects, recursively.
func (p Publisher) referrers(ctx context.Context, subjects []compose.Subject) (all []Referrer, err error) {
	seen := map[v1.Hash]bool{}
	for len(subjects) > 0 {
		s := subjects[0]
		subjects = subjects[1:]
		if seen[s.Digest] {
			continue
		}
		seen[s.Digest] = true
		found, err := p.referrersOf(ctx, s)
		all = append(all, found...)
		if err == nil && len(all) > maxReferrers {
			err = fmt.Errorf("%w: more than %d", inspect.ErrLimit, maxReferrers)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("looking for what refers to %s in %q: %w", s.Digest, s.From, err), closeAll(all))
		}
		for _, r := range found {
			subjects = append(subjects, compose.Subject{From: s.From, Digest: r.report.Root.Digest})
		}
	}
	p.note(fmt.Sprintf("copying %s too", inspect.Count(len(all), "referrer")))
	return all, nil
}

func (p Publisher) referrersOf(ctx context.Context, s compose.Subject) ([]Referrer, error) {
	var all []Referrer
	rows, err := p.ReferrersOf(ctx, s.From.WithDigest(s.Digest))
	if err != nil {
		return nil, err
	}
	for _, d := range rows {
		object, report, err := p.Read(ctx, s.From.WithDigest(d.Digest))
		if err != nil {
			return all, err
		}
		all = append(all, Referrer{subject: s.Digest, object: object, report: report})
	}
	// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
	for _, suffix := range []string{".sig", ".att", ".sbom"} {
		tag := registry.FallbackTag(s.Digest) + suffix
		object, report, err := p.Read(ctx, s.From.WithTag(tag))
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, Referrer{subject: s.Digest, tag: tag, object: object, report: report})
	}
	return all, nil
}

// ReferrersOf returns the rows of what refers to a subject, which is named by its digest: from the registry's API,
// elsewhere from the fallback tag.
func (p Publisher) ReferrersOf(ctx context.Context, subject registry.Ref) ([]v1.Descriptor, error) {
	if subject.Transport == registry.TransportRegistry {
		all, _, err := p.Client.Repository(subject, remote.Pull).Referrers(ctx, subject.Digest)
		return all, err
	}
	object, err := p.open(ctx, subject.WithTag(registry.FallbackTag(subject.Digest)))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := registry.DecodeReferrers(object.Root.Body)
	return rows, errors.Join(err, object.Close())
}

// AsReferrers removes the attestations from the entries and turns them into referrers, for Options.Also.
func AsReferrers(ctx context.Context, entries []compose.Entry) ([]compose.Entry, []Referrer, error) {
	var all []Referrer
	out := slices.Clone(entries)
	for i, entry := range entries {
		out[i].Attestations = nil // artifacts need their row
		for _, a := range entry.Attestations {
			if _, is := inspect.AttestationOf(a.Descriptor); !is {
				out[i].Attestations = append(out[i].Attestations, a)
				continue
			}
			r, err := asReferrer(ctx, entry, a)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, r)
		}
	}
	return out, all, nil
}

func asReferrer(ctx context.Context, entry, a compose.Entry) (Referrer, error) {
	if a.Attachment == nil {
		return Referrer{}, fmt.Errorf("reading attestation %s: %w", a.Digest(), registry.ErrNotFound)
	}
	m, err := compose.AsReferrer(a.Attachment.Manifest, entry.Descriptor)
	if err != nil {
		return Referrer{}, err
	}
	// The copy is new, so no source has it, but its blobs are in the attestation's source.
	report, err := inspect.Read(ctx, registry.Object{Ref: a.From(), Root: m, Source: a.Attachment.Source})
	return Referrer{subject: entry.Digest(), report: report}, err
}

// putReferrers puts referrers into a repository or file, with the tags that name them if no registry indexes them.
func (p Publisher) putReferrers(ctx context.Context, all []Referrer, to registry.Ref, target registry.Target) error {
	bySubject := map[v1.Hash][]v1.Descriptor{}
	var order []v1.Hash
	for _, r := range all {
		if err := p.putReferrer(ctx, r, to, target); err != nil {
			return fmt.Errorf("copying %s, which refers to %s: %w", r.report.Root.Digest, r.subject, err)
		}
		if r.tag != "" {
			continue
		}
		if bySubject[r.subject] == nil {
			order = append(order, r.subject)
		}
		bySubject[r.subject] = append(bySubject[r.subject], rowOf(r.report))
	}
	for _, digest := range order {
		if err := p.nameReferrers(ctx, digest, bySubject[digest], to, target); err != nil {
			return fmt.Errorf("writing the list of referrers of %s: %w", digest, err)
		}
	}
	return nil
}

func (p Publisher) putReferrer(ctx context.Context, r Referrer, to registry.Ref, target registry.Target) error {
	plan, err := compose.PlanOf(r.report, []registry.Ref{to.WithTag(r.tag)})
	if err != nil {
		return err
	}
	u := plan.Uploads[0]
	if r.tag == "" {
		u.Tags = nil
	}
	_, err = Upload(ctx, u, target, UploadOptions{Note: p.Note})
	return err
}

// rowOf returns the descriptor that the specification requires in a list of referrers.
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

// nameReferrers adds rows to the list under the fallback tag, if the registry has no API for referrers.
func (p Publisher) nameReferrers(
	ctx context.Context, digest v1.Hash, rows []v1.Descriptor, to registry.Ref, target registry.Target,
) error {
	var there []v1.Descriptor
	if to.Transport == registry.TransportRegistry {
		have, known, err := p.Client.Repository(to, remote.PullPush).Referrers(ctx, digest)
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
