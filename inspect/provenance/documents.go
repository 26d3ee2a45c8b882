package provenance

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"mtool/inspect"
)

// Documents are what the attestations of one image say, by the names of buildx's templates; nil if there is none.
type Documents struct {
	Provenance *SLSADocument
	SBOM       *SBOMDocuments
}

// SLSADocument says how an image was built.
type SLSADocument struct {
	SLSA any `json:",omitempty"`
}

// SBOMDocuments say what is in an image. Several scans give several documents.
type SBOMDocuments struct {
	SPDX            any   `json:",omitempty"`
	AdditionalSPDXs []any `json:",omitempty"`
}

// ReadDocuments reads the in-toto statements about an image. One that can't be read is an error.
func ReadDocuments(ctx context.Context, img inspect.Image) (Documents, error) {
	var all Documents
	for _, a := range img.Attestations {
		if a.Err != nil {
			return all, a.Err
		}
	}
	for _, s := range Read(ctx, img, Provenance, SBOM) {
		var predicate any
		if err := cmp.Or(s.Err, json.Unmarshal(s.Predicate, &predicate)); err != nil {
			return all, fmt.Errorf("reading attestation %s: %w", s.Blob.Digest, err)
		}
		switch kind := KindOf(s.Statement.Predicate); {
		case kind == Provenance:
			all.Provenance = &SLSADocument{SLSA: predicate}
		case s.Statement.Predicate != "https://spdx.dev/Document":
		case all.SBOM == nil:
			all.SBOM = &SBOMDocuments{SPDX: predicate}
		default:
			all.SBOM.AdditionalSPDXs = append(all.SBOM.AdditionalSPDXs, predicate)
		}
	}
	return all, nil
}
