package app

import (
	"slices"
	"testing"
)

func TestByVersion(t *testing.T) {
	t.Parallel()
	want := []string{"2024-edge", "latest", "stable", "1.2", "1.2.3-rc.1", "1.2.3", "v1.2.3", "v1.9.0", "1.10.0", "v2"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, byVersion)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
