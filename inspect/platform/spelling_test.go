package platform_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// A spelling is right when docker, containerd, podman, CRI-O, crane and regctl all match it.
func TestMisspelled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p     v1.Platform
		right string // "": p is spelled right
	}{
		{plat("linux", "amd64", ""), ""},
		{plat("linux", "amd64", "v1"), ""},
		{plat("linux", "amd64", "v3"), ""},
		{plat("linux", "arm64", ""), ""},
		{plat("linux", "arm64", "v8"), ""},
		{plat("linux", "arm64", "v9"), ""},
		{plat("linux", "arm", ""), ""},
		{plat("linux", "arm", "v6"), ""},
		{plat("linux", "loong64", ""), ""},
		{plat("linux", "sw64", ""), ""},
		{plat("linux", "e2k", ""), ""}, // unknown, and not an alias
		{plat("unknown", "unknown", ""), ""},
		{v1.Platform{}, ""},
		{windows("10.0.20348.1", "win32k"), ""},
		{plat("linux", "x86_64", ""), "linux/amd64"},
		{plat("linux", "AMD64", ""), "linux/amd64"},
		{plat("linux", "x64", ""), "linux/amd64"},
		{plat("linux", "aarch64", ""), "linux/arm64"},
		{plat("linux", "arm64v8", ""), "linux/arm64"},
		{plat("linux", "arm64", "8"), "linux/arm64"},
		{plat("linux", "arm64", "v8.0"), "linux/arm64"},
		{plat("linux", "arm64", "v9.0"), "linux/arm64/v9"},
		{plat("linux", "arm32v7", ""), "linux/arm/v7"},
		{plat("linux", "armv7l", ""), "linux/arm/v7"},
		{plat("linux", "armhf", ""), "linux/arm/v7"},
		{plat("linux", "armel", ""), "linux/arm/v6"},
		{plat("linux", "arm", "7"), "linux/arm/v7"},
		{plat("linux", "arm", "armv7"), "linux/arm/v7"},
		{plat("linux", "i686", ""), "linux/386"},
		{plat("linux", "i386", ""), "linux/386"},
		{plat("linux", "ppc64el", ""), "linux/ppc64le"},
		{plat("linux", "mips64el", ""), "linux/mips64le"},
		{plat("linux", "loongarch64", ""), "linux/loong64"},
		{plat("linux", "sw_64", ""), "linux/sw64"},
		{plat("linux", "shenwei", ""), "linux/sw64"},
		{plat("Linux", "amd64", ""), "linux/amd64"},
		{plat("macos", "arm64", ""), "darwin/arm64"},
	} {
		right, is := platform.Misspelled(c.p)
		if is != (c.right != "") || is && platform.Format(right) != c.right {
			t.Errorf("%+v: misspelled is %v, right %s, want %q", c.p, is, platform.Format(right), c.right)
		}
	}
}
