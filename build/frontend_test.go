package build

import "testing"

func TestFrontendImages(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]bool{
		"docker/dockerfile": true, "docker/dockerfile:1": true, "docker.io/docker/dockerfile:1.7": true,
		"docker/dockerfile:1-labs": false, "docker/dockerfile-upstream:master": false,
		"example.com/docker/dockerfile:1": false, "///": false,
	} {
		if got := isStable(image); got != want {
			t.Errorf("%q: %v, want %v", image, got, want)
		}
	}
}
