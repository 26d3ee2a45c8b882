package signature_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/signature"
	"mtool/registry"
	"mtool/registry/registrytest"
)

var listName = registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}

// repository holds the artifacts of a list by tag or digest, and the referrers of each digest.
type repository struct {
	objects   map[string]registrytest.Built
	referrers map[v1.Hash][]v1.Descriptor
	failure   error
}

func (r repository) finder() signature.Finder {
	return signature.Finder{
		Open: func(_ context.Context, ref registry.Ref) (registry.Object, error) {
			if r.failure != nil {
				return registry.Object{}, r.failure
			}
			if b, ok := r.objects[ref.Name()]; ok {
				return b.Object(ref), nil
			}
			return registry.Object{}, registry.ErrNotFound
		},
		Referrers: func(_ context.Context, subject registry.Ref) ([]v1.Descriptor, error) {
			return r.referrers[subject.Digest], nil
		},
	}
}

// tagged stores a signature as cosign does, under a tag made from the digest.
func (r repository) tagged(digest v1.Hash, s signature.Signature) {
	r.objects[listName.WithTag(registry.FallbackTag(digest)+".sig").Name()] = registrytest.Artifact(
		registrytest.ArtifactSpec{
			Layers: []registrytest.ArtifactLayer{{
				MediaType: signature.SimpleSigning, Annotations: s.Layer.Annotations, Data: s.Payload,
			}},
		})
}

// refers stores a bundle that refers to a digest.
func (r repository) refers(digest v1.Hash, bundle []byte) {
	b := registrytest.Artifact(registrytest.ArtifactSpec{
		Type: signature.BundlePrefix + "v0.3+json", Layers: []registrytest.ArtifactLayer{{Data: bundle}},
	})
	d := b.Manifest.Descriptor()
	d.ArtifactType = signature.BundlePrefix + "v0.3+json"
	r.objects[listName.WithDigest(d.Digest).Name()] = b
	r.referrers[digest] = append(r.referrers[digest], d)
}

func readList(t *testing.T) inspect.Report {
	t.Helper()
	var entries []registrytest.Entry
	for _, arch := range []string{"amd64", "arm64"} {
		spec := registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}}
		entries = append(entries, registrytest.Entry{Built: registrytest.Image(spec)})
	}
	list := registrytest.List(registrytest.ListSpec{Entries: entries})
	r, err := inspect.Read(t.Context(), list.Object(listName))
	check(t, err)
	return r
}

// states returns the states of the root's and each image's signatures, such as "verified, -, -" if only the root is
// signed.
func states(s *signature.Result) string {
	var all []string
	for _, subject := range append([]signature.Subject{s.Root}, s.Images...) {
		state := "-"
		for i, f := range subject.Found {
			if state += " "; i == 0 {
				state = ""
			}
			state += string(f.State)
		}
		all = append(all, state)
	}
	return strings.Join(all, ", ")
}

func TestFind(t *testing.T) {
	t.Parallel()
	signer := signers(t)["p256"]
	keys := []signature.Key{keyOf(t, "ours", signer)}
	other := []signature.Key{keyOf(t, "theirs", signers(t)["p256"])}
	signed := func(digest v1.Hash) signature.Signature {
		payload := payloadOf(digest)
		return simple(payload, sign(t, signer, payload, 0))
	}
	for name, c := range map[string]struct {
		store func(repository, inspect.Report)
		keys  []signature.Key
		want  string
	}{
		"nothing": {func(repository, inspect.Report) {}, keys, "-, -, -"},
		"list": {
			func(s repository, r inspect.Report) { s.tagged(r.Root.Digest, signed(r.Root.Digest)) }, keys, "verified, -, -",
		},
		"image": {
			func(s repository, r inspect.Report) {
				d := r.Images[1].Descriptor.Digest
				s.tagged(d, signed(d))
			}, keys, "-, -, verified",
		},
		"bundle": {
			func(s repository, r inspect.Report) {
				s.refers(r.Root.Digest, bundle(t, signer, signature.SignPredicate, r.Root.Digest, nil))
			}, keys, "verified, -, -",
		},
		"no key": {
			func(s repository, r inspect.Report) { s.tagged(r.Root.Digest, signed(r.Root.Digest)) }, nil, "not-verified, -, -",
		},
		"another key": {
			func(s repository, r inspect.Report) { s.tagged(r.Root.Digest, signed(r.Root.Digest)) }, other, "other-key, -, -",
		},
		"signature of another manifest under the list's tag": {
			func(s repository, r inspect.Report) {
				s.tagged(r.Root.Digest, signed(r.Images[0].Descriptor.Digest))
			}, keys, "wrong, -, -",
		},
		"a missing referrer": {
			func(s repository, r inspect.Report) {
				s.refers(r.Root.Digest, []byte("{}"))
				clear(s.objects)
			}, keys, "wrong, -, -",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored := repository{objects: map[string]registrytest.Built{}, referrers: map[v1.Hash][]v1.Descriptor{}}
			report := readList(t)
			c.store(stored, report)
			found, err := stored.finder().Find(t.Context(), report, c.keys)
			check(t, err)
			if got := states(found); got != c.want || found.Verified != (len(c.keys) > 0) {
				t.Errorf("got %s, verified: %t, want %s", got, found.Verified, c.want)
			}
		})
	}
}

// A registry that does not answer is an error, not a result without signatures.
func TestFindFails(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{registry.ErrUnavailable, registry.ErrDenied} {
		stored := repository{failure: failure}
		if _, err := stored.finder().Find(t.Context(), readList(t), nil); !errors.Is(err, failure) {
			t.Errorf("got %v, want %v", err, failure)
		}
	}
}

// Anyone with write access to a repository can add any number of signatures; above a limit, Find fails.
func TestFindIsBounded(t *testing.T) {
	t.Parallel()
	stored := repository{objects: map[string]registrytest.Built{}, referrers: map[v1.Hash][]v1.Descriptor{}}
	report := readList(t)
	for n := range 101 {
		stored.refers(report.Root.Digest, fmt.Appendf(nil, "%d", n))
	}
	if _, err := stored.finder().Find(t.Context(), report, nil); !errors.Is(err, inspect.ErrLimit) {
		t.Errorf("got %v, want %v", err, inspect.ErrLimit)
	}
}
