package platform_test

import (
	"slices"
	"testing"

	"mtool/inspect/platform"
)

func TestNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, arch string
		want       bool
	}{
		{"linux-x64", "amd64", true},
		{"x86_64-linux-gnu", "amd64", true},
		{"linux_amd64", "amd64", true},
		{"LINUX-X64", "amd64", true},
		{"x86_64-linux-gnu", "386", false},
		{"linux-x86-64", "386", false},
		{"linux-x86", "386", true},
		{"i386-linux-gnu", "386", true},
		{"linux-x64", "arm64", false},
		{"aarch64-linux-gnu", "arm64", true},
		{"arm64", "arm", false},
		{"arm-linux-gnueabihf", "arm", true},
		{"alarm", "arm", false},
		{"charm64", "arm64", false},
		{"armhf", "arm", true},
		{"box64", "amd64", false},
		{"matrix64", "amd64", false},
		{"m68k-linux-gnu", "m68k", true},
		{"any", "", false},
		{"x86x86_64", "amd64", false},
		{"x86_64x-x64", "amd64", true},
	} {
		if got := platform.Named(c.name, c.arch); got != c.want {
			t.Errorf("%q names %s: got %v", c.name, c.arch, got)
		}
	}
}

func TestRenamed(t *testing.T) {
	t.Parallel()
	if got := platform.Renamed("lib-x86_64.so", "amd64", "arm64"); !slices.Contains(got, "lib-aarch64.so") || slices.Contains(got, "lib-x86_64.so") {
		t.Errorf("got %q", got)
	}
	if got := platform.Renamed("lib.so", "amd64", "arm64"); got != nil {
		t.Errorf("got %q of a name without a machine", got)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, arch, want string }{
		{"alpine-minirootfs-x86_64.tar.gz", "arm64", "amd64"},
		{"alpine-minirootfs-x86_64.tar.gz", "amd64", ""},
		{"alpine-minirootfs-aarch64.tar.gz", "arm", "arm64"},
		{"arm64v8/alpine", "amd64", "arm64"},
		{"arm32v7/alpine", "arm64", "arm"},
		{"case x86_64) a;; aarch64) b;; esac", "arm64", ""},
		{"case x86_64) a;; aarch64) b;; esac", "s390x", "amd64"},
		{"i386/debian", "amd64", ""},
		{"i386/debian", "arm64", "386"},
		// Words for several machines, and those that are parts of others.
		{"arm", "arm64", ""},
		{"tools-x86", "amd64", ""},
		{"charm64 box64 alarm", "s390x", ""},
		{"", "amd64", ""},
	} {
		if got := platform.Foreign(c.text, c.arch); got != c.want {
			t.Errorf("%q for %s: %q, want %q", c.text, c.arch, got, c.want)
		}
	}
}
