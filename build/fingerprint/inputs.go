package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Format is that of the digests. It changes when anything about them does: digests of two formats never match.
const Format = "mtool.inputs/v1"

// Inputs are what a build of one platform reads.
type Inputs struct {
	Platform   string
	BuildOn    string            // the platform of the worker, which a Dockerfile may read
	Frontend   string            // what reads the Dockerfile: BuildKit's version, or the digest of an image
	Dockerfile string            // its text
	Files      map[string]string // what Files says of each context; the main one has the name ""
	Bases      map[string]string // the digest of each base image, by its name and platform
	Request    map[string]string // arguments, labels, the target, and other options; names of secrets, not their values
}

// Digest returns the digest of the inputs, "sha256:…".
func (i Inputs) Digest() string {
	body, _ := json.Marshal(struct { // strings always encode
		Format string
		Inputs
	}{Format, i})
	return format(sha256.Sum256(body))
}

func format(sum [sha256.Size]byte) string {
	return fmt.Sprintf("sha256:%s", hex.EncodeToString(sum[:]))
}
