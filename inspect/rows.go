package inspect

import (
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// artifactError is the Err of an Image that is an artifact in a place where clients look for an image.
type artifactError struct{ reason string }

func (e *artifactError) Error() string { return "an artifact, not an image: " + e.reason }
func (e *artifactError) Unwrap() error { return registry.ErrContent }

// isArtifact reports whether the image is an artifact.
func (i Image) isArtifact() bool {
	_, is := errors.AsType[*artifactError](i.Err)
	return is
}

// HasImage reports whether anything in the report could run.
func (r Report) HasImage() bool {
	return slices.ContainsFunc(r.Images, func(i Image) bool { return !i.isArtifact() })
}

// HasArtifact reports whether there is an artifact for its own sake, which describes no image.
func (r Report) HasArtifact() bool {
	return slices.ContainsFunc(r.Others, func(a Attachment) bool { return a.IsArtifact() && a.About == (v1.Hash{}) })
}

// rows separates the images among the leaves of a tree from what belongs to them.
//
// Docker, podman, skopeo, crane, regctl and containerd choose by the platform of a row alone and take the first that
// fits, whatever its artifactType or media type. So a row that one of them could take is an image here; if it is not an
// image, that is its fault. An artifact is accepted only after the image of the same platform, where nobody takes it.
type rows struct {
	leaves []*node
	source registry.Source
}

// readsConfig reports whether the config is needed to know what the row is, or its platform.
func (n *node) readsConfig() bool {
	if _, is := AttestationOf(n.desc); is && n.desc.Platform != nil {
		return false
	}
	return n.err == nil && !registry.PointsToBlob(n.desc) && n.doc.mayRun()
}

// isArtifact reports whether the manifest was read, and no runtime would start what it names.
func (n *node) isArtifact() bool {
	return n.manifest.Body != nil && n.doc.facts == nil && !n.doc.mayRun()
}

// readsClaim reports whether the config of an artifact may state a platform, as those of ORAS and of WebAssembly do.
func (n *node) readsClaim() bool {
	c := n.doc.config
	return n.err == nil && n.isArtifact() && c.MediaType != emptyConfig && c.Size <= maxConfig &&
		strings.HasSuffix(string(c.MediaType), "json")
}

// runs reports whether a runtime could start what the row names. For content that could not be read, the row decides.
func (n *node) runs() bool {
	if _, is := AttestationOf(n.desc); is &&
		(n.desc.Platform != nil || n.err == nil && platform.IsUnknown(n.config.platform)) {
		return false
	}
	switch {
	case n.err != nil && n.manifest.Body == nil:
		return n.desc.ArtifactType == "" && n.desc.MediaType != registry.ArtifactManifest
	case n.doc.isImage():
		return true
	case n.isArtifact():
		return false
	case !n.readsConfig() && n.err == nil:
		return false
	}
	return n.err != nil && !errors.Is(n.err, registry.ErrNotJSON) || hasFileSystem(n.config.body)
}

// sort returns the images and their attachments, in the order of the list.
func (r rows) sort() (images []Image, attachments []Attachment) {
	var running []*node
	for _, n := range r.leaves {
		if n.runs() {
			running = append(running, n)
		}
	}
	images = make([]Image, 0, len(running))
	passed := 0 // of those that run
	for _, n := range r.leaves {
		switch {
		case n.runs():
			passed++
			images = append(images, n.image(r.source))
		case n.leads(running[:passed], running[passed:]):
			n.refuse()
			images = append(images, n.image(r.source))
		default:
			attachments = append(attachments, n.attachment(r.source))
		}
	}
	return images, attachments
}

// leads reports whether a client that looks for an image takes n, which is not one, with these images before and after
// it.
func (n *node) leads(before, behind []*node) bool {
	p := n.desc.Platform
	switch {
	case len(before)+len(behind) == 0: // a list of artifacts
		return false
	case p == nil: // crane takes it for linux/amd64
		return !slices.ContainsFunc(before, isDefault) && slices.ContainsFunc(behind, isDefault)
	case platform.IsUnknown(*p), p.Architecture == wasm:
		return false
	}
	return !slices.ContainsFunc(before, n.isBehind)
}

func isDefault(n *node) bool {
	p := n.desc.Platform
	return p != nil && p.OS == "linux" && p.Architecture == "amd64"
}

// isBehind reports whether every client that could take n takes image, which comes first: their rows state the same.
func (n *node) isBehind(image *node) bool {
	p, q := n.desc.Platform, image.desc.Platform
	return p != nil && q != nil && p.Equals(*q) && CompressionOf(n.desc) == CompressionOf(image.desc)
}

// refuse makes n an image with an artifactError.
func (n *node) refuse() {
	n.manifest, n.doc = registry.Manifest{}, document{}
	if n.err != nil {
		return
	}
	n.err = &artifactError{"clients take the first row of a platform, whatever it is"}
	if n.desc.Platform == nil {
		n.err = &artifactError{"crane takes a row without a platform for linux/amd64, and this one comes before the image"}
	}
}

// about returns the image that an artifact names.
func (n *node) about() v1.Hash {
	if digest, err := v1.NewHash(n.desc.Annotations["com.amazon.soci.image-manifest-digest"]); err == nil {
		return digest
	}
	return n.doc.subject
}
