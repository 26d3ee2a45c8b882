package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// maxStatement bounds one attestation: an SBOM of a large image has some ten megabytes.
const maxStatement = 256 << 20

// Statements are what the attestations of one image say, in the names that buildx's templates have for it; nil where they
// say nothing.
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
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
func statements(ctx context.Context, img inspect.Image) (Statements, error) {
	var s Statements
	for _, a := range img.Attestations {
		if a.Err != nil {
			return s, a.Err
		}
		for _, layer := range a.Blobs {
			if err := s.add(ctx, a.Source, layer); err != nil {
				return s, fmt.Errorf("reading attestation %s: %w", a.Descriptor.Digest, err)
			}
		}
	}
	return s, nil
}

func (s *Statements) add(ctx context.Context, from registry.Source, layer v1.Descriptor) error {
	kind := layer.Annotations["in-toto.io/predicate-type"]
	slsa, spdx := strings.HasPrefix(kind, "https://slsa.dev/provenance/"), kind == "https://spdx.dev/Document"
	if !slsa && !spdx {
		return nil
	}
	predicate, err := readPredicate(ctx, from, layer)
	switch {
	case err != nil:
		return err
	case slsa:
		s.Provenance = &Provenance{SLSA: predicate}
	case s.SBOM == nil:
		s.SBOM = &SBOM{SPDX: predicate}
	default:
		s.SBOM.AdditionalSPDXs = append(s.SBOM.AdditionalSPDXs, predicate)
	}
	return nil
}

// readPredicate takes the statement out of the envelope of its signature, where it has one.
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
func readPredicate(ctx context.Context, from registry.Source, layer v1.Descriptor) (any, error) {
	body, err := readAtMost(ctx, from, layer, maxStatement)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(string(layer.MediaType), "+dsse") {
		var envelope struct {
			Payload []byte `json:"payload"`
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
		}
		body = envelope.Payload
	}
	var statement struct {
		Predicate any `json:"predicate"`
	}
	if err := json.Unmarshal(body, &statement); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	return statement.Predicate, nil
}

func readAtMost(ctx context.Context, from registry.Source, d v1.Descriptor, most int64) (body []byte, err error) {
	blob, err := from.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	body, err = io.ReadAll(io.LimitReader(blob, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("reading %s: %w", d.Digest, inspect.ErrLimit)
	}
	return body, err
}
