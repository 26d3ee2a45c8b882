package provenance

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/registry"
)

// maxStatement limits one statement, in bytes. SBOMs of whole distributions have some ten million.
const maxStatement = 64 << 20

// Statement is an in-toto statement that was read.
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
type Statement struct {
	inspect.Statement
	Type      string          // the predicate type that the statement itself states
	Subjects  []Subject       // what it describes
	Predicate json.RawMessage // its content
	// Err is why the fields above are empty.
	Err error
}

// Subject is something that a statement describes.
type Subject struct {
	Name   string            `json:"name"` // BuildKit writes package URLs, or "_"
	Digest map[string]string `json:"digest"`
}

// Read fetches the statements of an image that are of one of the kinds; their Err holds what went wrong. Attestations
// that could not be read have none.
func Read(ctx context.Context, img inspect.Image, kinds ...Kind) []Statement {
	var all []Statement
	for _, a := range img.Attestations {
		for _, s := range a.Statements() {
			for _, k := range kinds {
				if KindOf(s.Predicate) == k {
					all = append(all, readOne(ctx, a.Source, s))
				}
			}
		}
	}
	return all
}

func readOne(ctx context.Context, source registry.Source, s inspect.Statement) Statement {
	data, err := inspect.ReadBlob(ctx, source, s.Blob, maxStatement)
	if err != nil {
		return Statement{Statement: s, Err: err}
	}
	if strings.HasSuffix(string(s.Blob.MediaType), "+dsse") {
		data, err = payload(data)
	}
	if err != nil {
		return Statement{Statement: s, Err: err}
	}
	read, err := Parse(data)
	read.Statement, read.Err = s, err
	return read
}

// payload returns the statement in a signed envelope.
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
func payload(envelope []byte) ([]byte, error) {
	var e struct {
		Payload []byte `json:"payload"`
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		return nil, fmt.Errorf("%w: it is not a signed envelope: %w", registry.ErrContent, err)
	}
	return e.Payload, nil
}

// Parse parses a statement. The error wraps registry.ErrContent.
func Parse(data []byte) (Statement, error) {
	var raw struct {
		Type      string          `json:"predicateType"`
		Subject   []Subject       `json:"subject"`
		Predicate json.RawMessage `json:"predicate"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Statement{}, fmt.Errorf("%w: it is not an in-toto statement: %w", registry.ErrContent, err)
	}
	if raw.Type == "" {
		return Statement{}, fmt.Errorf("%w: it is not an in-toto statement: it has no predicate type", registry.ErrContent)
	}
	return Statement{Type: raw.Type, Subjects: raw.Subject, Predicate: raw.Predicate}, nil
}
