package registry

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// verify compares the bytes with want, whatever its algorithm is, and takes it over as the digest.
func (m *Manifest) verify(want v1.Hash, whose string) error {
	got := m.Digest
	if want.Algorithm != got.Algorithm {
		h, err := v1.Hasher(want.Algorithm)
		if err != nil {
			return err
		}
		_, _ = h.Write(m.Body) // a hash never fails
		got = v1.Hash{Algorithm: want.Algorithm, Hex: fmt.Sprintf("%x", h.Sum(nil))}
	}
	if got != want {
		return fmt.Errorf("the manifest has the digest %s, not %s %s", got, want, whose)
	}
	m.Digest = want
	return nil
}

// hasMediaType reports whether a manifest names its own type.
func hasMediaType(body []byte) bool {
	var m struct {
		MediaType string `json:"mediaType"`
	}
	return json.Unmarshal(body, &m) == nil && m.MediaType != ""
}
