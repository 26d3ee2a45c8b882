// Command cosign-sign signs images as `cosign sign --key` does, by cosign's own code, with a key that it makes for one
// run:
//
//	cosign-sign [--bundle] [--predicate TYPE] [--algorithm p256|p384|rsa|ed25519] PUBLICKEY REPOSITORY@DIGEST…
//
// The public key is written to the file PUBLICKEY. The whole of cosign links the clients of every cloud; this takes a
// fraction of it.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/sigstore/cosign/v3/pkg/oci/mutate"
	"github.com/sigstore/cosign/v3/pkg/oci/remote"
	"github.com/sigstore/cosign/v3/pkg/oci/static"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/signature/payload"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	bundle := flag.Bool("bundle", false, "sigstore bundles, as cosign 3 writes them, in place of simple signing")
	predicate := flag.String("predicate", "https://sigstore.dev/cosign/sign/v1", "what the bundles state")
	algorithm := flag.String("algorithm", "p256", "of the key")
	flag.Parse()
	if flag.NArg() < 2 {
		flag.Usage()
		os.Exit(2)
	}
	s := signer{bundle: *bundle, predicate: *predicate}
	if err := s.run(context.Background(), *algorithm, flag.Arg(0), flag.Args()[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cosign-sign:", err)
		os.Exit(1)
	}
}

type signer struct {
	bundle    bool
	predicate string
	key       sign.Keypair
}

func (s signer) run(ctx context.Context, algorithm, file string, refs []string) (err error) {
	details, ok := map[string]protocommon.PublicKeyDetails{
		"p256": protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256, "p384": protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384,
		"rsa": protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256, "ed25519": protocommon.PublicKeyDetails_PKIX_ED25519,
	}[algorithm]
	if !ok {
		return fmt.Errorf("no algorithm %q here", algorithm)
	}
	if s.key, err = sign.NewEphemeralKeypair(&sign.EphemeralKeypairOptions{Algorithm: details}); err != nil {
		return err
	}
	pem, err := s.key.GetPublicKeyPem()
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(pem), 0o644); err != nil {
		return err
	}
	for _, ref := range refs {
		digest, err := name.NewDigest(ref)
		if err != nil {
			return err
		}
		if s.bundle {
			err = s.signBundle(digest)
		} else {
			err = s.signSimply(ctx, digest)
		}
		if err != nil {
			return fmt.Errorf("signing %s: %w", ref, err)
		}
	}
	return nil
}

// signSimply puts a signature under the tag sha256-….sig, beside those that are there.
func (s signer) signSimply(ctx context.Context, digest name.Digest) error {
	body, err := payload.Cosign{Image: digest}.MarshalJSON()
	if err != nil {
		return err
	}
	made, _, err := s.key.SignData(ctx, body)
	if err != nil {
		return err
	}
	sig, err := static.NewSignature(body, base64.StdEncoding.EncodeToString(made))
	if err != nil {
		return err
	}
	entity, err := remote.SignedEntity(digest)
	if err != nil {
		return err
	}
	if entity, err = mutate.AttachSignatureToEntity(entity, sig); err != nil {
		return err
	}
	return remote.WriteSignatures(digest.Repository, entity)
}

// signBundle adds a referrer.
func (s signer) signBundle(digest name.Digest) error {
	_, hex, _ := strings.Cut(digest.DigestStr(), ":")
	statement, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": s.predicate, "predicate": map[string]any{},
		"subject": []any{map[string]any{"digest": map[string]string{"sha256": hex}}},
	})
	if err != nil {
		return err
	}
	made, err := sign.Bundle(&sign.DSSEData{Data: statement, PayloadType: "application/vnd.in-toto+json"}, s.key, sign.BundleOptions{})
	if err != nil {
		return err
	}
	body, err := protojson.Marshal(made)
	if err != nil {
		return err
	}
	return remote.WriteAttestationNewBundleFormat(digest, body, s.predicate)
}
