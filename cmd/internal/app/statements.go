package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"mtool/inspect"
	"mtool/inspect/provenance"
)

// Statements are what the attestations of one image say, in the names that buildx's templates have for it; nil where
// they say nothing.
type Statements struct {
	Provenance *Provenance
	SBOM       *SBOM
}

// Provenance says how an image was built.
type Provenance struct {
	SLSA any `json:",omitempty"`
}

// SBOM says what is in an image; several of it are several scans.
type SBOM struct {
	SPDX            any   `json:",omitempty"`
	AdditionalSPDXs []any `json:",omitempty"`
}

// statements reads the in-toto statements about an image.
func statements(ctx context.Context, img inspect.Image) (Statements, error) {
	var all Statements
	for _, a := range img.Attestations {
		if a.Err != nil {
			return all, a.Err
		}
	}
	for _, s := range provenance.Read(ctx, img, provenance.Provenance, provenance.SBOM) {
		var predicate any
		if err := cmp.Or(s.Err, json.Unmarshal(s.Predicate, &predicate)); err != nil {
			return all, fmt.Errorf("reading attestation %s: %w", s.Blob.Digest, err)
		}
		switch kind := provenance.KindOf(s.Statement.Predicate); {
		case kind == provenance.Provenance:
			all.Provenance = &Provenance{SLSA: predicate}
		case s.Statement.Predicate != "https://spdx.dev/Document":
		case all.SBOM == nil:
			all.SBOM = &SBOM{SPDX: predicate}
		default:
			all.SBOM.AdditionalSPDXs = append(all.SBOM.AdditionalSPDXs, predicate)
		}
	}
	return all, nil
}
