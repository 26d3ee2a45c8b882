package remote_test

import (
	"errors"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

func TestReferrers(t *testing.T) {
	t.Parallel()
	image := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}})
	body := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","artifactType":"application/vnd.example","manifests":[],` +
		`"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + image.Digest().String() +
		`","size":1}}`
	m, err := registry.NewManifest("", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	referrer := registrytest.Built{Manifest: m, Manifests: []registry.Manifest{m}}
	for name, o := range map[string]registrytest.Options{"by the API": {Referrers: true}, "by the tag": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t, o)
			s.Load("demo", "v1", image)
			s.Load("demo", "", referrer)
			// the list under the tag differs from that of the API
			s.Load("demo", registry.FallbackTag(image.Digest()), registrytest.ListOf(image))
			ref, err := registry.ParseRef(s.Host() + "/demo")
			if err != nil {
				t.Fatal(err)
			}
			r := remote.NewClient(remote.Options{Attempts: 1}).Repository(ref, remote.Pull)
			got, known, err := r.Referrers(t.Context(), image.Digest())
			want := m.Digest
			if !o.Referrers {
				want = image.Digest()
			}
			if err != nil || known != o.Referrers || len(got) != 1 || got[0].Digest != want {
				t.Errorf("got %v, %v, %v, want %s", got, known, err, want)
			}
			if got, _, err := r.Referrers(t.Context(), m.Digest); err != nil || len(got) != 0 {
				t.Errorf("no referrers: got %v, %v", got, err)
			}
			s.Fault(registrytest.Fault{Status: 503, Times: -1})
			if _, _, err := r.Referrers(t.Context(), image.Digest()); !errors.Is(err, registry.ErrUnavailable) {
				t.Errorf("an unavailable registry: got %v", err)
			}
		})
	}
}
