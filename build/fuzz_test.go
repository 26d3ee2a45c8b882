package build

import "testing"

// FuzzDockerfile checks that parsing a Dockerfile neither panics nor hangs.
func FuzzDockerfile(f *testing.F) {
	f.Add([]byte(
		"FROM --platform=$BUILDPLATFORM golang AS a\nRUN --mount=type=cache,target=/x true\nFROM scratch\nCOPY --from=a /x /\n"))
	f.Add([]byte("# syntax=docker/dockerfile:1\nARG A=b\nFROM $A\n"))
	f.Add([]byte("FROM a\\\n"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = parseDockerfile(text) })
}
