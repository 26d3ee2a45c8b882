package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// forgery is a signature to make, and the ways in which it is wrong.
type forgery struct {
	key    *ecdsa.PrivateKey
	digest v1.Hash // the digest in the payload
	words  []string
}

// sign KEY REF [of=REF] [bundle] [altered] [truncated] [unannotated] [typed] [garbage] [huge]: signs REF as cosign
// does, under a tag or, with bundle, as a referrer. The key is in KEY.key, which is made together with KEY.pub if it is
// missing. "of" signs another image instead; the other words make a wrong signature.
func cmdSign(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sign KEY REF [OPTION...]")
	}
	ref, err := registry.ParseRef(args[1])
	ts.Check(err)
	repo := remote.NewClient(remote.Options{}).Repository(ref, remote.PullPush)
	subject, err := repo.Resolve(background(), ref)
	ts.Check(err)
	f := forgery{key: signingKey(ts, args[0]), digest: subject.Digest, words: args[2:]}
	for _, word := range f.words {
		if other, ok := strings.CutPrefix(word, "of="); ok {
			of, err := registry.ParseRef(other)
			ts.Check(err)
			m, err := repo.Resolve(background(), of)
			ts.Check(err)
			f.digest = m.Digest
		}
	}
	if f.has("bundle") {
		d := subject.Descriptor()
		built := registrytest.Artifact(registrytest.ArtifactSpec{
			Type: bundleType, Subject: &d,
			Layers: []registrytest.ArtifactLayer{f.bundle(ts)},
		})
		ts.Check(built.Push(background(), repo, ""))
		return
	}
	built := registrytest.Artifact(registrytest.ArtifactSpec{Layers: []registrytest.ArtifactLayer{f.simple()}})
	ts.Check(built.Push(background(), repo, registry.FallbackTag(subject.Digest)+".sig"))
}

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

func (f forgery) has(word string) bool { return slices.Contains(f.words, word) }

func (f forgery) signature(message []byte) []byte {
	sum := sha256.Sum256(message)
	sig, err := ecdsa.SignASN1(rand.Reader, f.key, sum[:])
	if err != nil {
		panic(err) // impossible: the key was made here
	}
	if f.has("truncated") {
		return sig[:len(sig)/2]
	}
	return sig
}

func (f forgery) simple() registrytest.ArtifactLayer {
	kind := "cosign container image signature"
	if f.has("typed") {
		kind = "atomic container signature"
	}
	payload := fmt.Appendf(nil,
		`{"critical":{"identity":{"docker-reference":"any"},"image":{"docker-manifest-digest":"%s"},"type":"%s"},"optional":null}`, f.digest, kind)
	if f.has("huge") {
		payload = append(payload, bytes.Repeat([]byte(" "), 1<<20)...)
	}
	l := registrytest.ArtifactLayer{
		MediaType:   "application/vnd.dev.cosign.simplesigning.v1+json",
		Annotations: map[string]string{}, Data: payload,
	}
	if !f.has("unannotated") {
		l.Annotations["dev.cosignproject.cosign/signature"] = base64.StdEncoding.EncodeToString(f.signature(payload))
	}
	if f.has("altered") {
		l.Data = append(l.Data, ' ')
	}
	return l
}

func (f forgery) bundle(ts *testscript.TestScript) registrytest.ArtifactLayer {
	if f.has("garbage") {
		return registrytest.ArtifactLayer{MediaType: bundleType, Data: []byte("garbage")}
	}
	const kind = "application/vnd.in-toto+json"
	body := fmt.Appendf(nil,
		`{"subject":[{"digest":{"sha256":"%s"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1"}`, f.digest.Hex)
	sig := f.signature(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(body), body))
	if f.has("altered") {
		body = append(body, ' ')
	}
	data, err := json.Marshal(map[string]any{
		"mediaType": bundleType, "verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": "test"}},
		"dsseEnvelope": map[string]any{"payload": body, "payloadType": kind, "signatures": []any{map[string]any{"sig": sig}}},
	})
	ts.Check(err)
	return registrytest.ArtifactLayer{MediaType: bundleType, Data: data}
}

// signingKey reads NAME.key, or makes NAME.key and NAME.pub.
func signingKey(ts *testscript.TestScript, name string) *ecdsa.PrivateKey {
	path := ts.MkAbs(name + ".key")
	if der, err := os.ReadFile(path); err == nil {
		key, err := x509.ParseECPrivateKey(der)
		ts.Check(err)
		return key
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	der, err := x509.MarshalECPrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(path, der, 0o600))
	public, err := publicKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name+".pub"), public, 0o644))
	return key
}

func publicKey(key *ecdsa.PrivateKey) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), err
}
