package inspect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Report is the flattened tree under a reference: what was read, before any verdict.
type Report struct {
	Ref  registry.Ref
	Root registry.Manifest
	// List is nil for a single image.
	List *ListFacts
	// Images are the runnable images in the order of the list, nested lists flattened. A single image is one Image. A
	// nested list that could not be read or is empty is an Image with Err set, and so is an artifact in the place of an
	// image: a row that clients take when they look for one.
	Images []Image
	// Others are entries that are not images and belong to none (artifacts, blobs), and attestations whose image is not
	// in the list, in the order of the list.
	Others []Attachment
}

// ListFacts are the members of a list other than its entries.
type ListFacts struct {
	Annotations  map[string]string
	ArtifactType string
	Subject      *v1.Descriptor
	// Members are all members of the list's JSON, known and unknown.
	Members map[string]json.RawMessage
}

// Image is one runnable image: the entry that names it, its manifest, and what its config states.
type Image struct {
	// Row is the descriptor in the list that holds it, byte for byte; for a single image it is made from the manifest
	// and the config's platform.
	Row json.RawMessage
	// Descriptor is Row decoded.
	Descriptor v1.Descriptor
	// Nested are the digests of the lists between the root and this entry, outermost first.
	Nested []v1.Hash
	// Via are the rows of those lists, with the platforms that they state.
	Via []v1.Descriptor
	// Manifest, ConfigOf, Layers and Size are empty when the manifest could not be read.
	Manifest registry.Manifest
	ConfigOf v1.Descriptor
	// Config is the platform that the image config states (os.version and os.features included), unchanged.
	Config v1.Platform
	// ConfigBody is the exact bytes of the config. Images with one config share them; do not change them.
	ConfigBody []byte
	Layers     []v1.Descriptor
	// Size is the sum of the compressed layers, in bytes.
	Size         int64
	Attestations []Attachment
	// Artifacts are rows that are not images and belong to this one, such as its SOCI index.
	Artifacts []Attachment
	// Source reads the image's manifest, config and layers.
	Source registry.Source
	// Err is why the manifest or the config could not be read; a missing child wraps registry.ErrNotFound, a wrong
	// digest, size or media type registry.ErrContent.
	Err error
}

// Attachment is a manifest that accompanies an image: a BuildKit attestation (annotation vnd.docker.reference.digest),
// or an artifact entry.
type Attachment struct {
	Row        json.RawMessage
	Descriptor v1.Descriptor
	Nested     []v1.Hash
	// Manifest is empty when it could not be read, and for an entry that is a blob (a layer in a build cache's list).
	Manifest registry.Manifest
	Blobs    []v1.Descriptor // config and layers of Manifest; the entry itself when that is a blob
	Source   registry.Source
	Err      error
	About    v1.Hash // the image that an artifact names; zero when it names none
	// ArtifactType is what the manifest says that the artifact is; "" for an attestation, a blob and what was not read.
	ArtifactType string
	// Config is the platform that an artifact's config states, unchanged; zero when it states none.
	Config v1.Platform
}

// Blobs returns the config and the layers, in that order; none when the manifest could not be read.
func (i Image) Blobs() []v1.Descriptor {
	if i.ConfigOf.Digest == (v1.Hash{}) {
		return nil
	}
	return append([]v1.Descriptor{i.ConfigOf}, i.Layers...)
}

// Claim returns the platform under which clients find the image, as it is spelled (see platform.Spelled): its row's or,
// if the row states none, that of the nearest list around it; for a single image its config's. It is zero when nothing
// is claimed.
func (i Image) Claim() v1.Platform {
	if p := claimOf(i.Descriptor); !platform.IsUnknown(p) {
		return p
	}
	for _, v := range slices.Backward(i.Via) {
		if p := claimOf(v); !platform.IsUnknown(p) {
			return p
		}
	}
	return v1.Platform{}
}

func claimOf(d v1.Descriptor) v1.Platform {
	if d.Platform == nil {
		return v1.Platform{}
	}
	return platform.Spelled(*d.Platform)
}

// Platform returns what the image is, as it is spelled: the platform of its config, with what a claim that agrees adds
// (a variant, an os.version). It is the claim when the config states nothing or was not read, and zero when both are
// missing.
func (i Image) Platform() v1.Platform {
	claim := i.Claim()
	switch {
	case platform.IsUnknown(i.Config):
		return claim
	case platform.IsUnknown(claim), !platform.Agrees(claim, i.Config):
		return platform.Spelled(i.Config)
	}
	return claim
}

// Serving returns the image that a node of the platform takes, as Serve of package platform has it. It reports whether
// there is one.
func (r Report) Serving(want v1.Platform) (Image, bool) {
	var have []v1.Platform
	for _, img := range r.Images {
		have = append(have, img.Platform())
	}
	served := platform.Serve(have, want, false)
	if len(served.Rows) == 0 {
		return Image{}, false
	}
	return r.Images[served.Rows[0]], true
}

// ImageFor returns the first image whose platform satisfies want. The error wraps registry.ErrNotFound and names those
// that there are; whose says whose platform it is.
func (r Report) ImageFor(want v1.Platform, whose string) (Image, error) {
	var have []string
	for _, i := range r.Images {
		if platform.Satisfies(i.Platform(), want) {
			return i, nil
		}
		have = append(have, platform.Format(i.Platform()))
	}
	return Image{}, fmt.Errorf("%w: no image for %s, %s, among %s", registry.ErrNotFound, platform.Format(want), whose,
		strings.Join(have, ", "))
}

// Contents is the content of an image's layers that is compared with the other images of a list. Package deep reads it.
type Contents struct {
	// Whole reports that every layer was read to its end, so that nothing is missing here.
	Whole bool
	// Programs are the names in the directories of PATH that no package database lists.
	Programs []string
	// Packages are the versions in the package databases, by name.
	Packages map[string]string
	// Needs are the names that the packages depend on.
	Needs map[string]bool
	// Unread is the path of a package database that is not read; "" when there is none.
	Unread string
	// UnreadWhy is why Unread is not read.
	UnreadWhy string
}
