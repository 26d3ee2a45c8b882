package compose

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// attestationType is how BuildKit names an attestation that is an artifact of its own.
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
const attestationType = "application/vnd.docker.attestation.manifest.v1+json"

// AsReferrer turns an attestation, which a list ties to its image, into one that names the image itself: it sets
// subject and artifactType and nothing else. An attestation that has both is returned unchanged.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
func AsReferrer(attestation registry.Manifest, subject v1.Descriptor) (registry.Manifest, error) {
	fail := func(err error) (registry.Manifest, error) {
		return registry.Manifest{}, fmt.Errorf("making a referrer of attestation %s: %w", attestation.Digest, err)
	}
	o, err := parseObject(attestation.Body)
	if err != nil {
		return fail(err)
	}
	before := o.encode()
	if o.get("artifactType") == nil {
		if o, err = o.set("artifactType", attestationType); err != nil {
			return fail(err)
		}
	}
	row := v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size}
	if o, err = o.set("subject", row); err != nil {
		return fail(err)
	}
	body := o.encode()
	if string(body) == string(before) {
		return attestation, nil
	}
	return registry.NewManifest(attestation.MediaType, body)
}
