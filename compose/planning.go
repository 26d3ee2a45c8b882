package compose

import (
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// planning collects everything below the root, each digest once, before it is known which repository lacks what.
type planning struct {
	name   registry.Ref
	root   registry.Manifest
	base   v1.Hash
	pieces []piece
}

// piece is a manifest below the root, or the root of a single image, with its blobs.
type piece struct {
	child  Child
	blobs  []v1.Descriptor
	config []byte // of blobs[0], where it has been read
	// madeConfig means that no source has that config.
	madeConfig bool
	borrowed   []Borrowed
	err        error
}

func (p *planning) addEntry(e Entry) {
	switch {
	case e.Image != nil:
		p.addImage(*e.Image, e.From(), 0)
		if e.OriginalDigest != (v1.Hash{}) {
			i := slices.IndexFunc(p.pieces, func(n piece) bool { return n.child.Descriptor.Digest == e.Digest() })
			p.pieces[i].child.Made, p.pieces[i].madeConfig, p.pieces[i].borrowed = true, e.madeConfig(), e.Borrowed
		}
	case e.Attachment != nil:
		p.addAttached(*e.Attachment, e.From(), 0)
		if e.List != nil {
			p.addReport(*e.List, e.From(), 1)
		}
	default:
		p.add(piece{child: Child{Descriptor: e.Descriptor}, err: notRead(e)})
	}
}

func (p *planning) addImage(img inspect.Image, from registry.Ref, level int) {
	c := Child{Descriptor: img.Descriptor, Manifest: img.Manifest, From: from, Source: img.Source, Level: level}
	p.add(piece{child: c, blobs: img.Blobs(), config: img.ConfigBody, err: img.Err})
}

func (p *planning) addAttached(a inspect.Attachment, from registry.Ref, level int) {
	c := Child{Descriptor: a.Descriptor, Manifest: a.Manifest, From: from, Source: a.Source, Level: level}
	p.add(piece{child: c, blobs: a.Blobs, err: a.Err})
}

// addReport adds everything below the root of r, which is at this level.
func (p *planning) addReport(r inspect.Report, from registry.Ref, level int) {
	for _, img := range r.Images {
		p.addNested(from, img.Source, img.Nested, img.Via, level)
		p.addImage(img, from, level+len(img.Nested))
		for _, a := range slices.Concat(img.Attestations, img.Artifacts) {
			p.addNested(from, a.Source, a.Nested, nil, level)
			p.addAttached(a, from, level+len(a.Nested))
		}
	}
	for _, a := range r.Others {
		p.addNested(from, a.Source, a.Nested, nil, level)
		p.addAttached(a, from, level+len(a.Nested))
	}
}

// addNested adds the lists between the root and something below it, outermost first.
func (p *planning) addNested(from registry.Ref, src registry.Source, nested []v1.Hash, via []v1.Descriptor, level int) {
	for i, h := range nested {
		d := v1.Descriptor{Digest: h}
		if i < len(via) {
			d = via[i]
		}
		p.add(piece{child: Child{Descriptor: d, From: from, Source: src, Level: level + i}})
	}
}

// add keeps one piece for each digest, at its deepest level, so it is put before everything that refers to it.
func (p *planning) add(n piece) {
	i := slices.IndexFunc(p.pieces, func(o piece) bool { return o.child.Descriptor.Digest == n.child.Descriptor.Digest })
	if i < 0 {
		p.pieces = append(p.pieces, n)
		return
	}
	p.pieces[i].child.Level = max(p.pieces[i].child.Level, n.child.Level)
}

func (p *planning) plan(targets []registry.Ref) (Plan, error) {
	if len(targets) == 0 {
		return Plan{}, registry.Usagef("planning to publish %q: no target", p.name)
	}
	plan := Plan{Root: p.root, Targets: targets}
	var failed []error
	for _, target := range targets {
		if err := p.checkTarget(target); err != nil {
			failed = append(failed, fmt.Errorf("planning to publish %q to %q: %w", p.name, target, err))
			continue
		}
		if target.Transport == registry.TransportEngine {
			continue
		}
		repository := target
		repository.Tag, repository.Digest, repository.Typed = "", v1.Hash{}, ""
		i := slices.IndexFunc(plan.Uploads, func(u Upload) bool { return u.Repository == repository })
		if i < 0 {
			u, err := p.upload(repository)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			plan.Uploads, i = append(plan.Uploads, u), len(plan.Uploads)
		}
		plan.Uploads[i].Tags = p.addTag(plan.Uploads[i].Tags, target)
	}
	if len(failed) > 0 {
		return Plan{}, errors.Join(failed...)
	}
	return plan, nil
}

func (p *planning) checkTarget(target registry.Ref) error {
	switch target.Transport {
	case registry.TransportDraft, registry.TransportDockerArchive:
		return fmt.Errorf("%w: %s takes no list", ErrTarget, target.Transport)
	}
	if target.Digest != (v1.Hash{}) && target.Digest != p.root.Digest {
		return registry.WithHint(fmt.Errorf("%w: the target names digest %s, the content is %s", ErrTarget, target.Digest, p.root.Digest),
			"a digest follows from the content: name a tag")
	}
	return nil
}

func (p *planning) addTag(tags []Tag, target registry.Ref) []Tag {
	named := target.Tag != "" || target.IsFile() // a layout may hold its root without a name
	if !named || slices.ContainsFunc(tags, func(t Tag) bool { return t.Name == target.Tag }) {
		return tags
	}
	t := Tag{Name: target.Tag}
	if sameRepository(target, p.name) && target.Tag == p.name.Tag {
		t.Base = p.base
	}
	return append(tags, t)
}

func (p *planning) upload(to registry.Ref) (Upload, error) {
	u := Upload{Repository: to, Root: p.root}
	blobs := map[v1.Hash]int{}
	var failed []error
	for _, n := range p.pieces {
		if sameRepository(n.child.From, to) { // it was just read from there
			if n.err == nil {
				u.addMade(n, blobs)
			}
			continue
		}
		if n.err != nil {
			failed = append(failed, fmt.Errorf("planning to publish %q to %q: %w", p.name, to, n.err))
			continue
		}
		// A row may name a blob, which has no manifest, and a single image is its own root.
		isManifest := n.child.Manifest.Body != nil || len(n.blobs) == 0
		if isManifest && n.child.Descriptor.Digest != p.root.Digest {
			u.Children = append(u.Children, n.child)
		}
		for i := range n.blobs {
			u.addBlob(blobs, n.blob(i, to))
		}
	}
	slices.SortStableFunc(u.Children, func(a, b Child) int { return b.Level - a.Level })
	return u, errors.Join(failed...)
}

// addMade adds what was made here of something in the repository itself, and the layers that it has from elsewhere.
func (u *Upload) addMade(n piece, blobs map[v1.Hash]int) {
	if n.child.Made && n.child.Descriptor.Digest != u.Root.Digest {
		u.Children = append(u.Children, n.child)
	}
	for i, b := range n.blobs {
		from, _ := n.origin(b)
		if i == 0 && n.madeConfig || !sameRepository(from, u.Repository) {
			u.addBlob(blobs, n.blob(i, u.Repository))
		}
	}
}

// origin returns where one of the piece's blobs is.
func (n piece) origin(d v1.Descriptor) (registry.Ref, registry.Source) {
	for _, b := range n.borrowed {
		if b.has(d.Digest) {
			return b.From, b.Source
		}
	}
	return n.child.From, n.child.Source
}

// blob returns one of the piece's blobs, and how to bring it to a repository.
func (n piece) blob(i int, to registry.Ref) Blob {
	from, source := n.origin(n.blobs[i])
	made := i == 0 && n.madeConfig
	b := Blob{Descriptor: n.blobs[i], From: from, Source: source, Mountable: !made && sameRegistry(from, to)}
	if i == 0 && n.config != nil && !b.Mountable {
		b.Source = known{b.Source, n.config}
	}
	return b
}

// addBlob keeps the cheaper way if several entries share a blob. Foreign layers stay at their urls.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
func (u *Upload) addBlob(seen map[v1.Hash]int, b Blob) {
	if !b.Descriptor.MediaType.IsDistributable() && len(b.Descriptor.URLs) > 0 {
		return
	}
	i, has := seen[b.Descriptor.Digest]
	switch {
	case !has:
		seen[b.Descriptor.Digest] = len(u.Blobs)
		u.Blobs = append(u.Blobs, b)
	case b.Mountable && !u.Blobs[i].Mountable:
		u.Blobs[i] = b
	}
}

func sameRegistry(a, b registry.Ref) bool {
	return a.Transport == registry.TransportRegistry && b.Transport == registry.TransportRegistry && a.Host == b.Host
}

func sameRepository(a, b registry.Ref) bool { return sameRegistry(a, b) && a.SameRepository(b) }
