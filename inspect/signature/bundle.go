package signature

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	// BundlePrefix begins the media types of sigstore bundles, the artifact types of their manifests:
	// application/vnd.dev.sigstore.bundle.v0.3+json, and before it application/vnd.dev.sigstore.bundle+json;version=0.1.
	BundlePrefix = "application/vnd.dev.sigstore.bundle"
	// SignPredicate is the predicate type of a bundle in which cosign signs an image itself, not a statement about it.
	SignPredicate = "https://sigstore.dev/cosign/sign/v1"

	inTotoPayload = "application/vnd.in-toto+json"
)

// MaxBundle limits a bundle, in bytes. Those of attestations hold the statement.
const MaxBundle = 8 << 20

// maxSignatures limits how many signatures of one envelope are checked.
const maxSignatures = 16

// Bundle is a sigstore bundle: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
type Bundle struct {
	// Predicate is the type of the signed statement, "" when something else was signed.
	Predicate string
	keyless   bool
	message   []byte // the signed bytes; nil: the manifest itself
	signed    [][]byte
	subjects  []string // sha256 digests in hex
}

// ParseBundle parses a bundle. The error wraps ErrMalformed.
func ParseBundle(data []byte) (Bundle, error) {
	var raw struct {
		MediaType            string `json:"mediaType"`
		VerificationMaterial struct {
			Certificate json.RawMessage `json:"certificate"`
			Chain       json.RawMessage `json:"x509CertificateChain"`
		} `json:"verificationMaterial"`
		DSSE    *envelope `json:"dsseEnvelope"`
		Message *struct {
			Digest struct {
				Algorithm string `json:"algorithm"`
				Digest    []byte `json:"digest"`
			} `json:"messageDigest"`
			Signature []byte `json:"signature"`
		} `json:"messageSignature"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Bundle{}, fmt.Errorf("%w: the bundle is not the JSON of one", ErrMalformed)
	}
	b := Bundle{keyless: len(raw.VerificationMaterial.Certificate)+len(raw.VerificationMaterial.Chain) > 0}
	switch {
	case !strings.HasPrefix(raw.MediaType, BundlePrefix):
		return b, fmt.Errorf("%w: the bundle's media type is %q", ErrMalformed, raw.MediaType)
	case raw.DSSE != nil:
		return b, b.open(*raw.DSSE)
	case raw.Message != nil:
		b.signed = [][]byte{raw.Message.Signature}
		b.subjects = []string{hex.EncodeToString(raw.Message.Digest.Digest)}
		return b, nil
	}
	return b, fmt.Errorf("%w: the bundle holds neither an envelope nor a signature", ErrMalformed)
}

// envelope is https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
type envelope struct {
	Payload    string `json:"payload"`
	Type       string `json:"payloadType"`
	Signatures []struct {
		Sig []byte `json:"sig"`
	} `json:"signatures"`
}

func (b *Bundle) open(e envelope) error {
	body, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil || e.Type != inTotoPayload {
		return fmt.Errorf("%w: the bundle's envelope is of type %q", ErrMalformed, e.Type)
	}
	var statement struct {
		Subject []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		Predicate string `json:"predicateType"`
	}
	if err := json.Unmarshal(body, &statement); err != nil {
		return fmt.Errorf("%w: the bundle's envelope holds no statement", ErrMalformed)
	}
	b.Predicate = statement.Predicate
	for _, s := range statement.Subject {
		b.subjects = append(b.subjects, s.Digest["sha256"])
	}
	for _, s := range e.Signatures[:min(len(e.Signatures), maxSignatures)] {
		b.signed = append(b.signed, s.Sig)
	}
	b.message = authenticated(e.Type, body)
	return nil
}

// authenticated returns the bytes that are signed: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
func authenticated(payloadType string, body []byte) []byte {
	head := "DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(body)) + " "
	return append([]byte(head), body...)
}

// Signs reports whether the bundle signs an image itself, and not a statement about it such as provenance or an SBOM.
func (b Bundle) Signs() bool { return b.Predicate == "" || b.Predicate == SignPredicate }

// Verify returns the names of the keys that signed a manifest with this bundle. The error is why there is none, as in
// Signature.Verify.
func (b Bundle) Verify(keys []Key, digest v1.Hash, manifest []byte) ([]string, error) {
	if err := b.about(digest); err != nil {
		return nil, err
	}
	message := b.message
	if message == nil {
		message = manifest
	}
	for _, sig := range b.signed {
		if names := makers(keys, sig, message); len(names) > 0 {
			return names, nil
		}
	}
	if b.keyless {
		return nil, ErrKeyless
	}
	return nil, ErrOtherKey
}

func (b Bundle) about(digest v1.Hash) error {
	for _, s := range b.subjects {
		if digest.Algorithm == "sha256" && s == digest.Hex {
			return nil
		}
	}
	return fmt.Errorf("%w: %.80s", ErrOtherDigest, strings.Join(b.subjects, ", "))
}
