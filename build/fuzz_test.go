package build

import "testing"

// FuzzDockerfile: whatever is in a Dockerfile, looking at it before the build ends.
func FuzzDockerfile(f *testing.F) {
	f.Add([]byte(
		"FROM --platform=$BUILDPLATFORM golang AS a\nRUN --mount=type=cache,target=/x true\nFROM scratch\nCOPY --from=a /x /\n"))
	f.Add([]byte("# syntax=docker/dockerfile:1\nARG A=b\nFROM $A\n"))
	f.Add([]byte("FROM a\\\n"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = parseDockerfile(text) })
}
