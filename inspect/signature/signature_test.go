package signature_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/signature"
)

const annotation = "dev.cosignproject.cosign/signature"

func digestOf(text string) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256([]byte(text)))}
}

// signers returns a new key of each kind, by name.
func signers(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	all := map[string]crypto.Signer{}
	for name, curve := range map[string]elliptic.Curve{
		"p256": elliptic.P256(), "p384": elliptic.P384(),
		"p521": elliptic.P521(),
	} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		check(t, err)
		all[name] = k
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	all["rsa"] = r
	_, e, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	all["ed25519"] = e
	return all
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func publicPEM(t *testing.T, s crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.Public())
	check(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func keyOf(t *testing.T, name string, s crypto.Signer) signature.Key {
	t.Helper()
	k, err := signature.ParseKey(name, publicPEM(t, s))
	check(t, err)
	return k
}

// sign signs a message as keys of this kind do; hash 0 is the usual one.
func sign(t *testing.T, s crypto.Signer, message []byte, hash crypto.Hash) []byte {
	t.Helper()
	if _, ok := s.(ed25519.PrivateKey); ok && hash == 0 {
		sig, err := s.Sign(rand.Reader, message, crypto.Hash(0))
		check(t, err)
		return sig
	}
	if hash == 0 {
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write(message)
	sig, err := s.Sign(rand.Reader, h.Sum(nil), hash)
	check(t, err)
	return sig
}

func payloadOf(digest v1.Hash) []byte {
	return fmt.Appendf(nil,
		`{"critical":{"identity":{"docker-reference":"r/demo"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}`, digest)
}

func simple(payload, sig []byte) signature.Signature {
	return signature.Signature{
		Layer: v1.Descriptor{
			MediaType:   signature.SimpleSigning,
			Annotations: map[string]string{annotation: base64.StdEncoding.EncodeToString(sig)},
		},
		Payload: payload,
	}
}

func TestVerifyEveryKind(t *testing.T) {
	t.Parallel()
	digest := digestOf("image")
	payload := payloadOf(digest)
	hashes := map[string][]crypto.Hash{"p384": {crypto.SHA384}, "p521": {crypto.SHA512}, "ed25519": {crypto.SHA512}}
	all := signers(t)
	for name, s := range all {
		for _, hash := range append([]crypto.Hash{0}, hashes[name]...) {
			sig := simple(payload, sign(t, s, payload, hash))
			keys := []signature.Key{
				keyOf(t, "other", all[map[bool]string{true: "rsa", false: "p256"}[name == "p256"]]),
				keyOf(t, name, s),
			}
			if by, err := sig.Verify(keys, digest); err != nil || len(by) != 1 || by[0] != name {
				t.Errorf("%s with %v: by %q, %v", name, hash, by, err)
			}
			if by, err := sig.Verify(keys[:1], digest); !errors.Is(err, signature.ErrOtherKey) || by != nil {
				t.Errorf("%s with %v and another key: by %q, %v", name, hash, by, err)
			}
		}
	}
}

func TestWrongSignatures(t *testing.T) {
	t.Parallel()
	s := signers(t)["p256"]
	digest := digestOf("image")
	payload := payloadOf(digest)
	sig := sign(t, s, payload, 0)
	typed := []byte(strings.Replace(string(payload), "cosign container", "atomic container", 1))
	for name, c := range map[string]struct {
		signature.Signature
		want error
	}{
		"another digest": {
			simple(payloadOf(digestOf("other")), sign(t, s, payloadOf(digestOf("other")), 0)),
			signature.ErrOtherDigest,
		},
		"altered payload": {simple(append(slices.Clip(payload), ' '), sig), signature.ErrOtherKey},
		"moved digest": {
			simple([]byte(strings.Replace(string(payloadOf(digestOf("other"))), digestOf("other").Hex, digest.Hex, 1)+" "),
				sign(t, s, payloadOf(digestOf("other")), 0)), signature.ErrOtherKey,
		},
		"another type": {simple(typed, sign(t, s, typed, 0)), signature.ErrMalformed},
		"not JSON":     {simple([]byte("{"), sign(t, s, []byte("{"), 0)), signature.ErrMalformed},
		"no annotation": {
			signature.Signature{Layer: v1.Descriptor{MediaType: signature.SimpleSigning}, Payload: payload},
			signature.ErrMalformed,
		},
		"not base64": {
			signature.Signature{Layer: v1.Descriptor{
				MediaType:   signature.SimpleSigning,
				Annotations: map[string]string{annotation: "%"},
			}, Payload: payload}, signature.ErrMalformed,
		},
		"other media type": {
			signature.Signature{Layer: v1.Descriptor{
				MediaType:   "text/plain",
				Annotations: map[string]string{annotation: base64.StdEncoding.EncodeToString(sig)},
			}, Payload: payload},
			signature.ErrMalformed,
		},
		"truncated":       {simple(payload, sig[:len(sig)/2]), signature.ErrOtherKey},
		"empty signature": {simple(payload, []byte{}), signature.ErrMalformed},
		"certificate": {
			signature.Signature{Layer: v1.Descriptor{MediaType: signature.SimpleSigning, Annotations: map[string]string{
				annotation: "AAAA", "dev.sigstore.cosign/certificate": "x",
			}}, Payload: payload}, signature.ErrKeyless,
		},
	} {
		if by, err := c.Verify([]signature.Key{keyOf(t, "k", s)}, digest); !errors.Is(err, c.want) || by != nil {
			t.Errorf("%s: by %q, %v, want %v", name, by, err, c.want)
		}
	}
}

// bundle returns a sigstore bundle with an in-toto statement about a digest.
func bundle(t *testing.T, s crypto.Signer, predicate string, digest v1.Hash, alter func(map[string]any)) []byte {
	t.Helper()
	body := fmt.Appendf(nil,
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"%s"}}],"predicateType":"%s","predicate":{}}`, digest.Hex, predicate)
	const kind = "application/vnd.in-toto+json"
	message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(body), body)
	b := map[string]any{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": "x"}},
		"dsseEnvelope": map[string]any{
			"payload": body, "payloadType": kind,
			"signatures": []any{map[string]any{"sig": sign(t, s, message, 0)}},
		},
	}
	if alter != nil {
		alter(b)
	}
	data, err := json.Marshal(b)
	check(t, err)
	return data
}

func TestBundle(t *testing.T) {
	t.Parallel()
	all := signers(t)
	s := all["p256"]
	digest := digestOf("manifest")
	verify := func(data []byte, key signature.Key) error {
		b, err := signature.ParseBundle(data)
		if err == nil {
			_, err = b.Verify([]signature.Key{key}, digest, []byte("manifest"))
		}
		return err
	}
	mine, other := keyOf(t, "mine", s), keyOf(t, "other", all["ed25519"])
	envelope := func(b map[string]any) map[string]any { return b["dsseEnvelope"].(map[string]any) }
	message := func(sig []byte, of string) []byte {
		data, err := json.Marshal(map[string]any{
			"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2",
			"messageSignature": map[string]any{"messageDigest": map[string]any{
				"algorithm": "SHA2_256",
				"digest":    mustHex(t, digestOf(of).Hex),
			}, "signature": sig},
		})
		check(t, err)
		return data
	}
	for name, c := range map[string]struct {
		data []byte
		key  signature.Key
		want error
	}{
		"signed":         {bundle(t, s, signature.SignPredicate, digest, nil), mine, nil},
		"another key":    {bundle(t, s, signature.SignPredicate, digest, nil), other, signature.ErrOtherKey},
		"another digest": {bundle(t, s, signature.SignPredicate, digestOf("x"), nil), mine, signature.ErrOtherDigest},
		"altered statement": {bundle(t, s, "a", digest, func(b map[string]any) {
			envelope(b)["payload"] = []byte(`{"subject":[{"digest":{"sha256":"` + digest.Hex + `"}}]}`)
		}), mine, signature.ErrOtherKey},
		"another payload": {
			bundle(t, s, "a", digest, func(b map[string]any) { envelope(b)["payloadType"] = "text/plain" }),
			mine, signature.ErrMalformed,
		},
		"no signature": {
			bundle(t, s, "a", digest, func(b map[string]any) { envelope(b)["signatures"] = nil }), mine,
			signature.ErrOtherKey,
		},
		"truncated": {bundle(t, s, signature.SignPredicate, digest, func(b map[string]any) {
			one := envelope(b)["signatures"].([]any)[0].(map[string]any)
			one["sig"] = one["sig"].([]byte)[:20]
		}), mine, signature.ErrOtherKey},
		"certificate": {bundle(t, s, "a", digest, func(b map[string]any) {
			b["verificationMaterial"] = map[string]any{"certificate": map[string]any{"rawBytes": "AA=="}}
		}), other, signature.ErrKeyless},
		"garbage":    {[]byte("garbage"), mine, signature.ErrMalformed},
		"other JSON": {[]byte("[]"), mine, signature.ErrMalformed},
		"no content": {
			[]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`), mine,
			signature.ErrMalformed,
		},
		"another type": {
			bundle(t, s, "a", digest, func(b map[string]any) { b["mediaType"] = "x" }), mine,
			signature.ErrMalformed,
		},
		"message":              {message(sign(t, s, []byte("manifest"), 0), "manifest"), mine, nil},
		"another message":      {message(sign(t, s, []byte("other"), 0), "other"), mine, signature.ErrOtherDigest},
		"wrong message digest": {message(sign(t, s, []byte("other"), 0), "manifest"), mine, signature.ErrOtherKey},
	} {
		if err := verify(c.data, c.key); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	b, err := signature.ParseBundle(bundle(t, s, "https://slsa.dev/provenance/v1", digest, nil))
	if err != nil || b.Signs() {
		t.Errorf("provenance counts as a signature: %v, %v", b.Signs(), err)
	}
}

func mustHex(t *testing.T, text string) []byte {
	t.Helper()
	var b []byte
	_, err := fmt.Sscanf(text, "%x", &b)
	check(t, err)
	return b
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	all := signers(t)
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	check(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(all["p256"])
	check(t, err)
	two := append(publicPEM(t, all["p256"]), publicPEM(t, all["rsa"])...)
	for name, text := range map[string][]byte{
		"nothing": nil, "not PEM": []byte("key"), "two": two, "too small": publicPEM(t, small),
		"private": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"broken":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}),
	} {
		if _, err := signature.ParseKey("k.pub", text); !errors.Is(err, signature.ErrKey) ||
			!strings.Contains(err.Error(), "k.pub") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := x509.MarshalPKCS1PublicKey(all["rsa"].Public().(*rsa.PublicKey))
	if _, err := signature.ParseKey("k", pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: r})); err != nil {
		t.Error(err)
	}
}

func FuzzBundle(f *testing.F) {
	f.Add([]byte(
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`))
	f.Add([]byte(
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{"messageDigest":{"digest":"AA=="},"signature":"AA=="}}`))
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		f.Fatal(err)
	}
	key, err := signature.ParseKey("k", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		f.Fatal(err)
	}
	digest := digestOf("manifest")
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := signature.ParseBundle(data); err == nil {
			if by, err := b.Verify([]signature.Key{key}, digest, []byte("manifest")); err == nil {
				t.Errorf("verified by %q", by)
			}
		}
		s := signature.Signature{Layer: v1.Descriptor{
			MediaType:   signature.SimpleSigning,
			Annotations: map[string]string{annotation: "AAAA"},
		}, Payload: data}
		if _, err := s.Verify([]signature.Key{key}, digest); err == nil {
			t.Error("verified")
		}
	})
}
