package compose

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Rebase puts every image of the list on another base of its platform: the layers of old at its bottom become those of
// now, and what its config has from old (a variable, a label, the command) becomes what now has. The list must be
// resolved. An image that is not made on old, and a platform that one of the bases lacks, are inspect.ErrMismatch.
// Attestations of the old digests go; with keepAttestations that is an error.
func (l List) Rebase(old, now inspect.Report, keepAttestations bool) (List, []Change, error) {
	out := l.with(slices.Clone(l.Entries))
	var changes []Change
	for i, e := range out.Entries {
		if e.Artifact {
			continue
		}
		r := rebase{entry: e}
		var err error
		if r.old, err = baseFor(e, old); err == nil {
			r.now, err = baseFor(e, now)
		}
		if err == nil {
			out.Entries[i], err = r.run(now.Ref, keepAttestations)
		}
		if err != nil {
			return List{}, nil, fmt.Errorf("rebasing %s of %q: %w", e, l.Name, err)
		}
		c := Change{Action: Unchanged, Entry: out.Entries[i]}
		if out.Entries[i].Digest() != e.Digest() {
			c = redone(e, out.Entries[i])
		}
		changes = append(changes, c)
	}
	return out, changes, nil
}

// baseFor returns the image of a base that serves the platform of e.
func baseFor(e Entry, base inspect.Report) (inspect.Image, error) {
	want := e.Config
	if platform.IsUnknown(want) {
		want = e.Platform()
	}
	img, found := base.Serving(want)
	if !found {
		return inspect.Image{}, fmt.Errorf("%w: the base %q has no %s", inspect.ErrMismatch, base.Ref, formatPlatform(want))
	}
	return img, img.Err
}

func (r rebase) run(base registry.Ref, keepAttestations bool) (Entry, error) {
	if err := r.entry.unread(); err != nil {
		return Entry{}, err
	}
	if err := r.check(); err != nil {
		return Entry{}, err
	}
	manifest, err := parseObject(r.entry.Image.Manifest.Body)
	if err != nil {
		return Entry{}, err
	}
	if manifest, err = r.layers(manifest); err != nil {
		return Entry{}, err
	}
	config, err := r.config()
	if err != nil {
		return Entry{}, err
	}
	if manifest, err = manifest.withConfig(config); err != nil {
		return Entry{}, err
	}
	if manifest, err = r.annotations(manifest, base); err != nil {
		return Entry{}, err
	}
	m, err := registry.NewManifest(r.entry.Image.Manifest.MediaType, manifest.encode())
	if err != nil || m.Digest == r.entry.Digest() {
		return r.entry, err
	}
	if keepAttestations && len(r.entry.Attestations) > 0 {
		return Entry{}, ErrAttested
	}
	now := r.now
	out, err := r.entry.made(m, config, Borrowed{From: base, Source: now.Source, Layers: now.Layers})
	out.ownConfig = true
	return out, err
}

// made is the entry with a manifest that was made here, some of whose layers come from elsewhere. Attestations are
// about the old one, and go.
func (e Entry) made(m registry.Manifest, config []byte, b Borrowed) (Entry, error) {
	if e.OriginalDigest == (v1.Hash{}) {
		e.OriginalDigest = e.Digest()
	}
	e.Attestations = nil
	out, err := e.withManifest(m, config)
	if err != nil {
		return Entry{}, err
	}
	out.Borrowed = append(slices.Clone(out.Borrowed), b)
	img := *out.Image
	img.Source = layered{img.Source, b}
	out.Image = &img
	return out, nil
}

// check reports an image that is not made on the old base: the layers of that one, by what they unpack to, must be its
// lowest.
func (r rebase) check() error {
	image, err := diffIDs(*r.entry.Image)
	if err != nil {
		return err
	}
	base, err := diffIDs(r.old)
	if err != nil {
		return err
	}
	if _, err := diffIDs(r.now); err != nil {
		return err
	}
	for i, layer := range base {
		if i >= len(image) {
			return fmt.Errorf("%w: it is not made on the old base: it has %s, the base %d", inspect.ErrMismatch,
				inspect.Count(len(image), "layer"), len(base))
		}
		if image[i] != layer {
			return fmt.Errorf("%w: it is not made on the old base: layer %d unpacks to %s, the base's to %s", inspect.ErrMismatch, i+1,
				image[i], layer)
		}
	}
	return nil
}

// layers replaces the lowest layers of a manifest. Those of the new base get the media types of the image's kind.
func (r rebase) layers(manifest object) (object, error) {
	kind := TypeOCI
	if isDocker(r.entry.Image.Manifest.MediaType) {
		kind = TypeDocker
	}
	lower, err := rowsOf(r.now.Manifest.Body)
	if err != nil {
		return nil, err
	}
	for i, row := range lower {
		if lower[i], err = convertRow(row, kind, true); err != nil {
			return nil, err
		}
	}
	upper, err := rowsOf(r.entry.Image.Manifest.Body)
	if err != nil {
		return nil, err
	}
	return manifest.set("layers", slices.Concat(lower, upper[len(r.old.Layers):]))
}

func rowsOf(manifest []byte) ([]json.RawMessage, error) {
	var rows struct {
		Layers []json.RawMessage `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &rows); err != nil {
		return nil, fmt.Errorf("reading layers: %w: %w", registry.ErrContent, err)
	}
	return rows.Layers, nil
}

// annotations names the new base, where the image can have annotations.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
func (r rebase) annotations(manifest object, base registry.Ref) (object, error) {
	if isDocker(r.entry.Image.Manifest.MediaType) {
		return manifest, nil
	}
	var have map[string]string
	if err := manifest.decode(annotationsMember, &have); err != nil {
		return nil, err
	}
	return manifest.setStrings(annotationsMember, Edit{Annotations: map[string]string{
		inspect.BaseName: base.Name(), inspect.BaseDigest: r.now.Descriptor.Digest.String(),
	}}.annotations(have))
}

// layered is the source of an image that has borrowed layers.
type layered struct {
	registry.Source
	borrowed Borrowed
}

// Blob implements registry.Source.
func (s layered) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if s.borrowed.has(d.Digest) {
		return s.borrowed.Source.Blob(ctx, d)
	}
	return s.Source.Blob(ctx, d)
}
