package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// ErrKey is wrapped by the errors of ParseKey.
var ErrKey = errors.New("not a public key")

// Key is a public key and the name that people give it.
type Key struct {
	Name   string
	public crypto.PublicKey
}

// ParseKey parses a public key in PEM: ECDSA on P-256, P-384 or P-521, RSA of 2048 bits or more, or Ed25519. Text
// around the key is ignored; two keys in one file are an error, since one would be ignored. The error wraps ErrKey.
func ParseKey(name string, data []byte) (Key, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return Key{}, fmt.Errorf("%w in %q: it holds no PEM", ErrKey, name)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return Key{}, fmt.Errorf("%w in %q: it holds more than one PEM block; use one file for each key", ErrKey, name)
	}
	public, err := decodeKey(block)
	if err != nil {
		return Key{}, fmt.Errorf("%w in %q: %w", ErrKey, name, err)
	}
	return Key{name, public}, supported(name, public)
}

func decodeKey(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("it holds a %s; use cosign.pub, or the output of `cosign public-key`", block.Type)
}

func supported(name string, public crypto.PublicKey) error {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize >= 256 {
			return nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= 2048 {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return fmt.Errorf("%w in %q: a %T of this size is not supported; use ECDSA from P-256, RSA from 2048 bits or Ed25519",
		ErrKey, name, public)
}

// made reports whether the key made sig over message. Cosign hashes with SHA-256 whatever the key, and its newer
// versions with the hash that fits the curve; both are tried. RSA signatures are PKCS #1 v1.5. Ed25519 signs the
// message or, for transparency logs, its SHA-512.
func (k Key) made(sig, message []byte) bool {
	short, long, longest := sha256.Sum256(message), sha512.Sum384(message), sha512.Sum512(message)
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		fits := map[int][]byte{384: long[:], 521: longest[:]}[public.Curve.Params().BitSize]
		return ecdsa.VerifyASN1(public, short[:], sig) || fits != nil && ecdsa.VerifyASN1(public, fits, sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, short[:], sig) == nil
	case ed25519.PublicKey:
		prehashed := &ed25519.Options{Hash: crypto.SHA512}
		return ed25519.Verify(public, message, sig) || ed25519.VerifyWithOptions(public, longest[:], sig, prehashed) == nil
	}
	return false
}

// makers returns the names of the keys that made sig over message, in their order.
func makers(keys []Key, sig, message []byte) (names []string) {
	for _, k := range keys {
		if k.made(sig, message) {
			names = append(names, k.Name)
		}
	}
	return names
}
