package app

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

// The error about a built image names its platform, so the findings don't repeat it. Other platforms are still named.
func TestUnprefixed(t *testing.T) {
	t.Parallel()
	arm := v1.Platform{OS: "linux", Architecture: "arm64"}
	for given, want := range map[string]string{
		"linux/arm64: the entrypoint /app is an amd64 program": "the entrypoint /app is an amd64 program",
		"linux/amd64: the entrypoint /app is an arm64 program": "linux/amd64: the entrypoint /app is an arm64 program",
		"the list has no linux/arm64: it was left out":         "the list has no linux/arm64: it was left out",
	} {
		findings := []inspect.Finding{{Message: given}}
		if got := unprefixed(findings, arm); got[0].Message != want || findings[0].Message != given {
			t.Errorf("%q: got %q, want %q, and the finding unchanged", given, got[0].Message, want)
		}
	}
}
