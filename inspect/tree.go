package inspect

import (
	"encoding/json"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// node is one row of the root or of a nested list.
type node struct {
	row      json.RawMessage
	desc     v1.Descriptor
	via      []v1.Descriptor // the rows of the lists between the root and this row
	manifest registry.Manifest
	doc      document
	config   config // set when doc may run
	kids     []*node
	err      error
}

// newNodes returns the rows of one list as nodes. A row that can't be read is a node with an error; the others still
// count.
func newNodes(rows []json.RawMessage, via []v1.Descriptor) []*node {
	nodes := make([]*node, len(rows))
	for i, row := range rows {
		n := &node{row: row, via: via}
		if err := json.Unmarshal(row, &n.desc); err != nil {
			n.err = fmt.Errorf("reading row %d: %w: %w", i+1, registry.ErrContent, err)
		} else if n.desc.Digest == (v1.Hash{}) {
			n.err = fmt.Errorf("reading row %d: %w: it has no digest", i+1, registry.ErrContent)
		} else if n.desc.Size < 0 || n.desc.Size > maxSize {
			n.err = fmt.Errorf("reading row %d: %w: a size of %d bytes", i+1, registry.ErrContent, n.desc.Size)
		}
		nodes[i] = n
	}
	return nodes
}

// guard refuses lists that would not end. Honest digests can't form a cycle, but a lying source can.
func (n *node) guard(root v1.Hash) {
	looped := n.desc.Digest == root ||
		slices.ContainsFunc(n.via, func(d v1.Descriptor) bool { return d.Digest == n.desc.Digest })
	switch {
	case n.err != nil:
	case looped:
		n.err = fmt.Errorf("%w: the list %s contains itself", registry.ErrContent, n.desc.Digest)
	case n.desc.MediaType.IsIndex() && len(n.via) >= maxDepth:
		n.err = fmt.Errorf("%w: lists are nested deeper than %d", registry.ErrContent, maxDepth)
	}
}

// fetches reports whether there is a manifest to fetch for the row.
func (n *node) fetches() bool { return n.err == nil && !registry.PointsToBlob(n.desc) }

// take decodes the fetched manifest, and adds nodes for the rows of a list.
func (n *node) take(m registry.Manifest) {
	mediaType := n.desc.MediaType
	if mediaType == "" {
		mediaType = m.MediaType
	}
	if n.doc, n.err = decode(mediaType, m.Body); n.err != nil {
		return
	}
	n.manifest = m
	if n.doc.facts == nil {
		return
	}
	if len(n.doc.rows) == 0 {
		n.err = fmt.Errorf("%w: the nested list is empty", registry.ErrContent)
	}
	n.kids = newNodes(n.doc.rows, append(slices.Clip(n.via), n.desc))
}

// nameOf returns how errors name a row: by its platform, else by its digest.
func nameOf(d v1.Descriptor) string {
	if p := claimOf(d); !platform.IsUnknown(p) {
		return platform.Format(p)
	}
	return d.Digest.String()
}

func (n *node) nested() []v1.Hash {
	var digests []v1.Hash
	for _, d := range n.via {
		digests = append(digests, d.Digest)
	}
	return digests
}

// image returns the node as an Image.
func (n *node) image(src registry.Source) Image {
	i := Image{
		Row: n.row, Descriptor: n.desc, Nested: n.nested(), Via: n.via, Manifest: n.manifest,
		ConfigOf: n.doc.config, Layers: n.doc.blobs, Source: src, Err: n.err,
		Config: n.config.platform, ConfigBody: n.config.body,
	}
	for _, layer := range i.Layers {
		i.Size += layer.Size
	}
	return i
}

func (n *node) attachment(src registry.Source) Attachment {
	a := Attachment{
		Row: n.row, Descriptor: n.desc, Nested: n.nested(), Manifest: n.manifest, Blobs: n.doc.all(), Source: src, Err: n.err,
		About: n.about(), ArtifactType: n.doc.kind(), Config: n.config.platform,
	}
	if registry.PointsToBlob(n.desc) {
		a.Blobs = []v1.Descriptor{n.desc}
	}
	return a
}

// leaves returns the rows that lead to no other list, in the order of the lists.
func leaves(nodes []*node) []*node {
	var all []*node
	for _, n := range nodes {
		if len(n.kids) > 0 {
			all = append(all, leaves(n.kids)...)
			continue
		}
		all = append(all, n)
	}
	return all
}
