package inspect

import v1 "github.com/google/go-containerregistry/pkg/v1"

// predicateKey is the annotation by which BuildKit says what a layer of an attestation is.
const predicateKey = "in-toto.io/predicate-type"

// Statement is a row of an attestation manifest: an in-toto statement that has not been read.
type Statement struct {
	Predicate string // the type that the row states: https://slsa.dev/provenance/v1, https://spdx.dev/Document
	Blob      v1.Descriptor
}

// Statements are the in-toto statements that the manifest lists, in its order, by what its rows say.
func (a Attachment) Statements() []Statement {
	var all []Statement
	for _, d := range a.Blobs {
		if predicate := d.Annotations[predicateKey]; predicate != "" {
			all = append(all, Statement{predicate, d})
		}
	}
	return all
}
