package registry

import (
	"slices"
	"strings"
	"testing"
)

func TestIsTag(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"v1": true, "1": true, "_": true, "V1.2-rc_3": true, strings.Repeat("a", 128): true,
		"": false, ".v1": false, "-v1": false, "v1:": false, "v/1": false, "v1\n": false, "vé1": false, "v1@sha256": false,
		strings.Repeat("a", 129): false,
	} {
		if got := IsTag(name); got != want {
			t.Errorf("IsTag(%q) = %v", name, got)
		}
	}
}

func TestCompareTags(t *testing.T) {
	t.Parallel()
	want := []string{"2024-edge", "latest", "stable", "1.2", "1.2.3-rc.1", "1.2.3", "v1.2.3", "v1.9.0", "1.10.0", "v2"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareTags)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
