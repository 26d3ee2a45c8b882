package inspect

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// AttestationOf reports whether d is the row of a BuildKit attestation, and returns the image that it describes (zero
// when the row's digest annotation can't be read). A row that also claims a platform is not one, whatever its
// annotations say: clients would take it as the image of that platform. See
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
func AttestationOf(d v1.Descriptor) (image v1.Hash, ok bool) {
	if d.Annotations["vnd.docker.reference.type"] != "attestation-manifest" || !platform.IsUnknown(claimOf(d)) {
		return v1.Hash{}, false
	}
	image, err := v1.NewHash(d.Annotations["vnd.docker.reference.digest"])
	if err != nil {
		return v1.Hash{}, true
	}
	return image, true
}

// attach adds each attachment to the first image that it describes, and the rest to Others.
func (r *Report) attach(all []Attachment) {
	images := make(map[v1.Hash]int, len(r.Images))
	for i := range slices.Backward(r.Images) {
		images[r.Images[i].Descriptor.Digest] = i
	}
	for _, a := range all {
		digest, attests := AttestationOf(a.Descriptor)
		if !attests {
			digest = a.About
		}
		i, found := images[digest]
		if !found && !attests {
			i, found = r.imageOf(a)
		}
		switch {
		case !found:
			r.Others = append(r.Others, a)
		case attests:
			r.Images[i].Attestations = append(r.Images[i].Attestations, a)
		default:
			r.Images[i].Artifacts = append(r.Images[i].Artifacts, a)
		}
	}
}

// imageOf returns the image that an artifact belongs to: the one with its platform, or the one that it names.
func (r *Report) imageOf(a Attachment) (int, bool) {
	p := a.Descriptor.Platform
	for i := range r.Images {
		d := &r.Images[i].Descriptor
		if d.Annotations["com.amazon.soci.index-digest"] == a.Descriptor.Digest.String() {
			return i, true
		}
		if p != nil && d.Platform != nil && !platform.IsUnknown(*p) && p.Equals(*d.Platform) {
			return i, true
		}
	}
	return 0, false
}

// attestations counts those of the images and those without an image.
func (r Report) attestations() int {
	n := 0
	for _, i := range r.Images {
		n += len(i.Attestations)
	}
	for _, o := range r.Others {
		if _, is := AttestationOf(o.Descriptor); is {
			n++
		}
	}
	return n
}

// predicateKey is the annotation in which BuildKit states what a layer of an attestation is.
const predicateKey = "in-toto.io/predicate-type"

// Statement is a row of an attestation manifest: an in-toto statement that was not read.
type Statement struct {
	Predicate string // the type that the row states: https://slsa.dev/provenance/v1, https://spdx.dev/Document
	Blob      v1.Descriptor
}

// Statements returns the in-toto statements that the manifest lists, in its order, as its rows state them.
func (a Attachment) Statements() []Statement {
	var all []Statement
	for _, d := range a.Blobs {
		if predicate := d.Annotations[predicateKey]; predicate != "" {
			all = append(all, Statement{predicate, d})
		}
	}
	return all
}
