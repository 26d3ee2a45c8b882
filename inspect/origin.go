package inspect

import (
	"encoding/json"
	"time"
)

// The annotations that say what an image was built on, see
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
const (
	baseName   = "org.opencontainers.image.base.name"
	baseDigest = "org.opencontainers.image.base.digest"
)

// Base is what an image says it was built on; nothing has checked it.
type Base struct {
	Name   string
	Digest string
}

// baseWords are those among annotations, and no others: a map of all of them could be large.
type baseWords struct {
	Name   string `json:"org.opencontainers.image.base.name"`
	Digest string `json:"org.opencontainers.image.base.digest"`
}

// Base is what the annotations of the image's manifest say, else those of its row, else its labels.
func (i Image) Base() Base {
	var manifest struct{ Annotations baseWords }
	_ = json.Unmarshal(i.Manifest.Body, &manifest) // read before; what does not fit says nothing
	row, labels := i.Descriptor.Annotations, i.details().Labels
	for _, from := range []baseWords{manifest.Annotations, {row[baseName], row[baseDigest]}, {labels[baseName], labels[baseDigest]}} {
		if b := (Base{printable(from.Name), printable(from.Digest)}); b != (Base{}) {
			return b
		}
	}
	return Base{}
}

// Created is when the image was made, as its config says; zero when it does not.
func (i Image) Created() time.Time { return i.details().Created }
