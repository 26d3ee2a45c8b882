package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// Object returns the list as it would be published. Its Source reads each manifest and blob from the source of the
// entry that has it; reading content of an unresolved entry is registry.ErrNotFound. Closing the object closes no
// source: their opener does that.
func (l List) Object() (registry.Object, error) {
	root, err := l.Encode()
	if err != nil {
		return registry.Object{}, err
	}
	c := contents{
		name:      l.Name,
		manifests: map[v1.Hash]registry.Manifest{root.Digest: root},
		sources:   map[v1.Hash]registry.Source{},
	}
	for _, e := range l.Entries {
		c.add(e)
		for _, a := range e.Attestations {
			c.add(a)
		}
	}
	return registry.Object{Ref: l.Name.At(registry.TransportDraft), Root: root, Source: c}, nil
}

// Report returns what inspect.Read would return for Object, without a request: the images as they were read, with the
// current rows. Unresolved entries have an Err that wraps registry.ErrNotFound.
func (l List) Report() (inspect.Report, error) {
	o, err := l.Object()
	if err != nil {
		return inspect.Report{}, err
	}
	facts, err := listFacts(o.Root.Body)
	if err != nil {
		return inspect.Report{}, fmt.Errorf("reading list %q: %w", l.Name, err)
	}
	r := inspect.Report{Ref: o.Ref, Root: o.Root, List: facts}
	for _, e := range l.Entries {
		if e.List != nil {
			r.Images, r.Others = append(r.Images, e.imagesWithin()...), append(r.Others, e.List.Others...)
			continue
		}
		if e.Artifact {
			r.Others = append(r.Others, attachment(e))
			continue
		}
		r.Images = append(r.Images, image(e))
	}
	return r, nil
}

// imagesWithin returns the images of an entry that is a list, one level deeper than they were read.
func (e Entry) imagesWithin() []inspect.Image {
	images := slices.Clone(e.List.Images)
	for i := range images {
		images[i].Nested = slices.Insert(slices.Clone(images[i].Nested), 0, e.Digest())
		images[i].Via = slices.Insert(slices.Clone(images[i].Via), 0, e.Descriptor)
	}
	return images
}

func listFacts(body []byte) (*inspect.ListFacts, error) {
	var list struct {
		Annotations  map[string]string `json:"annotations"`
		ArtifactType string            `json:"artifactType"`
		Subject      *v1.Descriptor    `json:"subject"`
	}
	var f inspect.ListFacts
	if err := errors.Join(json.Unmarshal(body, &list), json.Unmarshal(body, &f.Members)); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	f.Annotations, f.ArtifactType, f.Subject = list.Annotations, list.ArtifactType, list.Subject
	return &f, nil
}

func image(e Entry) inspect.Image {
	img := inspect.Image{Err: notRead(e), Config: e.Config}
	if e.Image != nil {
		img = *e.Image
	}
	img.Row, img.Descriptor, img.Nested, img.Via, img.Attestations, img.Artifacts = e.Row, e.Descriptor, nil, nil, nil, nil
	for _, a := range e.Attestations {
		if a.isAttestation() {
			img.Attestations = append(img.Attestations, attachment(a))
		} else {
			img.Artifacts = append(img.Artifacts, attachment(a))
		}
	}
	return img
}

func attachment(e Entry) inspect.Attachment {
	a := inspect.Attachment{Err: notRead(e)}
	if e.Attachment != nil {
		a = *e.Attachment
	}
	a.Row, a.Descriptor, a.Nested = e.Row, e.Descriptor, nil
	return a
}

func notRead(e Entry) error {
	return fmt.Errorf("reading %s from %q: %w", e, e.Source, registry.ErrNotFound)
}

// contents is the registry.Source of a list that is not published.
type contents struct {
	name      registry.Ref
	manifests map[v1.Hash]registry.Manifest
	sources   map[v1.Hash]registry.Source // of manifests and blobs alike
}

func (c contents) add(e Entry) {
	switch {
	case e.Image != nil:
		if e.madeConfig() {
			c.sources[e.ConfigDigest] = known{e.Image.Source, e.Image.ConfigBody}
		}
		for _, b := range e.Borrowed {
			for _, layer := range b.Layers {
				c.sources[layer.Digest] = b.Source
			}
		}
		c.addContent(e.Digest(), e.Image.Manifest, e.Image.Source, e.Image.Blobs())
	case e.Attachment != nil:
		c.addContent(e.Digest(), e.Attachment.Manifest, e.Attachment.Source, e.Attachment.Blobs)
	}
	if e.List != nil {
		c.addReport(*e.List)
	}
}

func (c contents) addReport(r inspect.Report) {
	others := slices.Clone(r.Others)
	for _, img := range r.Images {
		c.addContent(img.Descriptor.Digest, img.Manifest, img.Source, img.Blobs())
		for _, list := range img.Nested {
			c.sources[list] = img.Source
		}
		others = slices.Concat(others, img.Attestations, img.Artifacts)
	}
	for _, a := range others {
		c.addContent(a.Descriptor.Digest, a.Manifest, a.Source, a.Blobs)
	}
}

func (c contents) addContent(digest v1.Hash, m registry.Manifest, s registry.Source, blobs []v1.Descriptor) {
	if m.Body != nil {
		c.manifests[m.Digest] = m
	}
	if s == nil {
		return
	}
	c.sources[digest] = s
	for _, b := range blobs {
		if c.sources[b.Digest] == nil {
			c.sources[b.Digest] = s
		}
	}
}

// Manifest implements registry.Source.
func (c contents) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	if m, ok := c.manifests[d.Digest]; ok {
		return m, nil
	}
	s, err := c.source(d)
	if err != nil {
		return registry.Manifest{}, err
	}
	return s.Manifest(ctx, d)
}

// Blob implements registry.Source.
func (c contents) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	s, err := c.source(d)
	if err != nil {
		return nil, err
	}
	return s.Blob(ctx, d)
}

func (c contents) source(d v1.Descriptor) (registry.Source, error) {
	if s := c.sources[d.Digest]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("reading %s of %q: %w", d.Digest, c.name, registry.ErrNotFound)
}

// known is the source of a config that has been read and verified already.
type known struct {
	registry.Source
	config []byte
}

// Blob implements registry.Source.
func (k known) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(k.config)), nil
}
