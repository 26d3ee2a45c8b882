package signature

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// The kinds of signature, spelled as in JSON.
const (
	KindCosign   = "cosign"          // simple signing
	KindBundle   = "sigstore-bundle" // cosign's newer format
	KindNotation = "notation"        // listed, never verified
)

const notationArtifact = "application/vnd.cncf.notary.signature"

// kindOf returns the kind of signature that a referrer is, by its artifact type; "" when it is something else.
func kindOf(artifactType string) string {
	switch {
	case artifactType == Artifact:
		return KindCosign
	case strings.HasPrefix(artifactType, BundlePrefix):
		return KindBundle
	case artifactType == notationArtifact:
		return KindNotation
	}
	return ""
}

// State is how far a signature was verified, spelled as in JSON.
type State string

// The states.
const (
	Verified    State = "verified"     // by a given key, for this digest
	NotVerified State = "not-verified" // no key was given, or the signature was not made with a key
	OtherKey    State = "other-key"    // no given key made it
	Wrong       State = "wrong"        // it signs something else, or is not a signature
)

// Found is one signature stored for a digest.
type Found struct {
	Kind      string
	Manifest  v1.Hash // of the manifest that holds it
	Tag       string  // by which that was found; "" for a referrer
	Predicate string  // the type of the statement in a bundle
	State     State
	By        []string // names of the keys
	Err       error    // why it is not verified
}

// Signs reports whether it signs the image itself, and not a statement about it.
func (f Found) Signs() bool {
	return f.State != Wrong && (Bundle{Predicate: f.Predicate}).Signs()
}

// maxLayers limits how many layers of one manifest are checked: cosign adds one for every signature.
const maxLayers = 64

// layersOf returns the layers of a manifest that may hold signatures, up to maxLayers.
func layersOf(manifest []byte) ([]v1.Descriptor, error) {
	var m struct {
		Layers []v1.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil || len(m.Layers) == 0 {
		return nil, fmt.Errorf("%w: its manifest has no layers", ErrMalformed)
	}
	return m.Layers[:min(len(m.Layers), maxLayers)], nil
}

// limitOf returns the largest layer of that kind that is read, in bytes.
func limitOf(kind string) int64 {
	if kind == KindBundle {
		return MaxBundle
	}
	return MaxPayload
}

// layer is one layer of the manifest that holds a signature, and its content or why that is missing.
type layer struct {
	Descriptor v1.Descriptor
	Content    []byte
	Err        error
}

// verify verifies one layer for a manifest; f holds its kind and where it was found.
func verify(f Found, l layer, of registry.Manifest, keys []Key) Found {
	f.Err = l.Err
	switch {
	case l.Err != nil:
	case f.Kind == KindNotation:
		f.Err = errors.New("signatures of notation are not verified")
	case f.Kind == KindBundle:
		var b Bundle
		if b, f.Err = ParseBundle(l.Content); f.Err == nil {
			f.Predicate = b.Predicate
			f.By, f.Err = b.Verify(keys, of.Digest, of.Body)
		}
	default:
		f.By, f.Err = Signature{l.Descriptor, l.Content}.Verify(keys, of.Digest)
	}
	f.State = stateOf(f, len(keys))
	return f
}

func stateOf(f Found, keys int) State {
	switch {
	case f.Err == nil:
		return Verified
	case errors.Is(f.Err, ErrKeyless), f.Kind == KindNotation, errors.Is(f.Err, ErrOtherKey) && keys == 0:
		return NotVerified
	case errors.Is(f.Err, ErrOtherKey):
		return OtherKey
	}
	return Wrong
}
