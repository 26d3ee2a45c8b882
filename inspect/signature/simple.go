package signature

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The names that cosign gives its signatures. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
const (
	// SimpleSigning is the media type of a layer with a signed payload.
	SimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
	// Artifact is the artifact type of a signature that is stored as a referrer.
	Artifact = "application/vnd.dev.cosign.artifact.sig.v1+json"

	signatureOf   = "dev.cosignproject.cosign/signature"
	certificateOf = "dev.sigstore.cosign/certificate"
	simpleType    = "cosign container image signature"
)

// MaxPayload limits a payload, in bytes; real ones have some hundred.
const MaxPayload = 256 << 10

// Reasons why something does not prove that a digest was signed; test with errors.Is.
var (
	// ErrOtherDigest is a signature of something else.
	ErrOtherDigest = errors.New("it signs another digest")
	// ErrOtherKey is a signature that no given key made, or of content that was altered since.
	ErrOtherKey = errors.New("none of the keys made it, or it was altered since")
	// ErrKeyless is a signature to verify with a certificate and a log instead of a key.
	ErrKeyless = errors.New("it was made without a key (certificate), which is not verified")
	// ErrMalformed is something that is not a signature.
	ErrMalformed = errors.New("it is not a signature")
)

// Signature is one layer of the manifest that holds cosign's signatures of a digest, and its content.
type Signature struct {
	Layer   v1.Descriptor
	Payload []byte
}

// Verify returns the names of the keys that made this signature of digest. The error is why there is none:
// ErrMalformed, ErrOtherDigest, ErrKeyless or ErrOtherKey.
func (s Signature) Verify(keys []Key, digest v1.Hash) ([]string, error) {
	sig, err := s.bytes()
	if err != nil {
		return nil, err
	}
	if err := s.names(digest); err != nil {
		return nil, err
	}
	if names := makers(keys, sig, s.Payload); len(names) > 0 {
		return names, nil
	}
	if s.Layer.Annotations[certificateOf] != "" {
		return nil, ErrKeyless
	}
	return nil, ErrOtherKey
}

func (s Signature) bytes() ([]byte, error) {
	if s.Layer.MediaType != SimpleSigning {
		return nil, fmt.Errorf("%w: its layer is %q", ErrMalformed, s.Layer.MediaType)
	}
	text := s.Layer.Annotations[signatureOf]
	if text == "" {
		return nil, fmt.Errorf("%w: its layer has no annotation %s", ErrMalformed, signatureOf)
	}
	sig, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: its annotation %s is not base64", ErrMalformed, signatureOf)
	}
	return sig, nil
}

// names returns an error unless the payload is about digest. The name in it is ignored, as the specification requires.
func (s Signature) names(digest v1.Hash) error {
	var payload struct {
		Critical struct {
			Type  string `json:"type"`
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(s.Payload, &payload); err != nil {
		return fmt.Errorf("%w: its payload is not JSON", ErrMalformed)
	}
	if payload.Critical.Type != simpleType {
		return fmt.Errorf("%w: its type is %q", ErrMalformed, payload.Critical.Type)
	}
	if got := payload.Critical.Image.Digest; got != digest.String() {
		return fmt.Errorf("%w: %.80s", ErrOtherDigest, got)
	}
	return nil
}
