package compose

import (
	"errors"
	"strings"
	"testing"

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
