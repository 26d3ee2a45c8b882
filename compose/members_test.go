package compose

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

func TestArtifactTypes(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"", "application/vnd.example.chart+json", "a/b", "1/2",
		strings.Repeat("a", 127) + "/" + strings.Repeat("b", 127),
	} {
		if _, err := (List{}).WithArtifactType(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"application", "/json", "application/", "a/b/c", "a b/c", "-a/b", "a/b; charset=utf-8",
		strings.Repeat("a", 128) + "/b",
	} {
		if _, err := (List{}).WithArtifactType(bad); !errors.Is(err, registry.ErrUsage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A list refers to its entries, to their digests before an edit, and to their attestations.
func TestListDigests(t *testing.T) {
	t.Parallel()
	digest := func(s string) v1.Descriptor { return v1.Descriptor{Digest: v1.Hash{Algorithm: "sha256", Hex: s}} }
	list := List{Entries: []Entry{{
		Descriptor: digest("a"), OriginalDigest: digest("b").Digest,
		Attestations: []Entry{{Descriptor: digest("c")}},
	}}}
	for hex, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
		if got := list.Digests()[digest(hex).Digest]; got != want {
			t.Errorf("%s: got %t, want %t", hex, got, want)
		}
	}
}
