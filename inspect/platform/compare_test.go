package platform_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	specs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/inspect/platform"
)

// plat returns a platform with these parts, not normalized as Parse does.
func plat(os, arch, variant string) v1.Platform {
	return v1.Platform{OS: os, Architecture: arch, Variant: variant}
}

func windows(version string, features ...string) v1.Platform {
	return v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: version, OSFeatures: features}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b v1.Platform
		want bool
	}{
		{plat("linux", "arm64", ""), plat("linux", "arm64", "v8"), true},
		{plat("linux", "arm64", "v9"), plat("linux", "arm64", "v8"), false},
		{plat("linux", "arm", ""), plat("linux", "arm", "v7"), true},
		{plat("linux", "arm", ""), plat("linux", "arm", "v6"), false},
		{plat("linux", "amd64", "v1"), plat("Linux", "x86_64", ""), true},
		{plat("linux", "amd64", "v2"), plat("linux", "amd64", ""), false},
		{plat("linux", "amd64", ""), plat("darwin", "amd64", ""), false},
		{windows("10.0.1"), windows("10.0.1"), true},
		{windows("10.0.1"), windows("10.0.2"), false},
		{windows("10.0.1"), windows(""), false},
		{windows("", "a", "b"), windows("", "b", "a"), true},
		{windows("", "a", "b"), windows("", "a"), false},
	} {
		if got := platform.Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%v, %v) is %v", c.a, c.b, got)
		}
		if platform.Equal(c.a, c.b) != platform.Equal(c.b, c.a) {
			t.Errorf("Equal(%v, %v) is not symmetric", c.a, c.b)
		}
	}
}

func TestAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		descriptor, config v1.Platform
		want               bool
	}{
		{"the same", plat("linux", "amd64", ""), plat("linux", "amd64", ""), true},
		{"another architecture", plat("linux", "amd64", ""), plat("linux", "arm64", ""), false},
		{"another system", plat("linux", "amd64", ""), plat("windows", "amd64", ""), false},
		{"v8 in the list only", plat("linux", "arm64", "v8"), plat("linux", "arm64", ""), true},
		{"v8 in the config only", plat("linux", "arm64", ""), plat("linux", "arm64", "v8"), true},
		{"v6 added to a bare arm", plat("linux", "arm", "v6"), plat("linux", "arm", ""), true},
		{"v7 over v6", plat("linux", "arm", "v7"), plat("linux", "arm", "v6"), false},
		{"bare arm, which is v7, over v6", plat("linux", "arm", ""), plat("linux", "arm", "v6"), false},
		{"v6 over an alias that says v7", plat("linux", "arm", "v6"), plat("linux", "armhf", ""), false},
		{"v3 added", plat("linux", "amd64", "v3"), plat("linux", "amd64", ""), true},
		{"v3 left out", plat("linux", "amd64", ""), plat("linux", "amd64", "v3"), false},
		{"v3 over v1", plat("linux", "amd64", "v3"), plat("linux", "amd64", "v1"), false},
		{"os.version added", windows("10.0.1"), windows(""), true},
		{"os.version left out", windows(""), windows("10.0.1"), false},
		{"another os.version", windows("10.0.2"), windows("10.0.1"), false},
		{"feature added", windows("", "win32k"), windows(""), true},
		{"feature left out", windows(""), windows("", "win32k"), false},
		{"system added", plat("linux", "amd64", ""), plat("", "amd64", ""), true},
		{"all added", plat("linux", "arm", "v6"), v1.Platform{}, true},
		{"nothing in the list, something in the config", v1.Platform{}, plat("linux", "amd64", ""), false},
	} {
		if got := platform.Agrees(c.descriptor, c.config); got != c.want {
			t.Errorf("%s: Agrees(%v, %v) is %v", c.name, c.descriptor, c.config, got)
		}
	}
}

func TestSatisfies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, want v1.Platform
		ok         bool
	}{
		{plat("linux", "arm64", "v8"), plat("linux", "arm64", ""), true},
		{plat("linux", "arm64", ""), plat("linux", "arm64", "v8"), true},
		{plat("linux", "arm", ""), plat("linux", "arm", "v7"), true},
		{plat("linux", "arm", "v6"), plat("linux", "arm", ""), false},
		{plat("linux", "arm", "v6"), plat("linux", "arm", "v6"), true},
		{plat("linux", "amd64", "v3"), plat("linux", "amd64", ""), false},
		{plat("linux", "amd64", ""), plat("linux", "amd64", "v3"), false},
		{plat("linux", "amd64", ""), plat("linux", "arm64", ""), false},
		{plat("linux", "amd64", ""), plat("windows", "amd64", ""), false},
		{plat("windows", "amd64", ""), plat("windows", "", ""), true},
		{plat("linux", "arm64", ""), plat("", "arm64", ""), true},
		{windows("10.0.20348.1"), windows("10.0.20348"), true},
		{windows("10.0.20348.1"), windows("10.0.20348.1"), true},
		{windows("10.0.20348.1"), windows("10.0.2034"), false},
		{windows("10.0.20348.1"), windows(""), true},
		{windows(""), windows("10.0.20348"), false},
		{windows("", "a", "b"), windows("", "b"), true},
		{windows("", "a"), windows("", "b"), false},
		{v1.Platform{}, plat("linux", "amd64", ""), false},
	} {
		if got := platform.Satisfies(c.have, c.want); got != c.ok {
			t.Errorf("Satisfies(%v, %v) is %v", c.have, c.want, got)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, p := range []v1.Platform{
		plat("linux", "arm64", "v8"), plat("linux", "armhf", ""), plat("macos", "amd64", ""),
		windows("10.0.20348.1", "win32k"),
	} {
		if err := platform.Validate(p); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []v1.Platform{
		{},
		plat("linux", "", ""), plat("", "amd64", ""), plat("freebsd", "fake", ""), plat("linux", "arm", "v9"),
		plat("linux", "amd64", "v8"), plat("unknown", "unknown", ""), windows("10.0/1"), plat("darwin", "s390x", ""),
	} {
		if err := platform.Validate(p); !errors.Is(err, platform.ErrInvalid) {
			t.Errorf("%v: error is %v, want ErrInvalid", p, err)
		}
	}
}

func TestNormalizeLeavesItsArgument(t *testing.T) {
	t.Parallel()
	p := windows("10.0.1", "b", "a", "b")
	if got := platform.Normalize(p); !slices.Equal(got.OSFeatures, []string{"a", "b"}) {
		t.Errorf("os.features are %v", got.OSFeatures)
	}
	if !slices.Equal(p.OSFeatures, []string{"b", "a", "b"}) {
		t.Errorf("the argument changed to %v", p.OSFeatures)
	}
}

// Normalize agrees with containerd's.
func TestNormalizeAsContainerd(t *testing.T) {
	t.Parallel()
	for _, p := range []v1.Platform{
		plat("linux", "amd64", ""), plat("linux", "amd64", "v1"), plat("linux", "amd64", "v2"), plat("Linux", "x86_64", ""),
		plat("linux", "x86-64", "V3"), plat("linux", "i386", ""), plat("linux", "arm", ""), plat("linux", "arm", "7"),
		plat("linux", "arm", "v6"), plat("linux", "armhf", ""), plat("linux", "armel", ""), plat("linux", "arm64", "8"),
		plat("linux", "aarch64", ""), plat("linux", "arm64", "v8.0"), plat("linux", "arm64", "9"), plat("macos", "arm64", ""),
		plat("linux", "arm64", "v8.2"), plat("linux", "riscv64", "rva22u64"), plat("windows", "amd64", ""),
	} {
		c := platforms.Normalize(specs.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant})
		if got := platform.Normalize(p); !reflect.DeepEqual(got, plat(c.OS, c.Architecture, c.Variant)) {
			t.Errorf("%v: got %v, want containerd's %v", p, got, c)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]v1.Platform{
		"linux/arm64":              plat("linux", "arm64", "v8"),
		"linux/arm/v7":             plat("linux", "arm", ""),
		"Linux/x86_64":             plat("Linux", "x86_64", ""),
		"windows/amd64:10.0.1":     windows("10.0.1", "win32k"),
		"unknown/unknown":          {},
		"linux/unknown":            plat("linux", "", ""),
		"linux/amd64/v9":           plat("linux", "amd64", "v9"),
		"li?nux/a?[31mrm":          plat("li\nnux", "a\x1b[31mrm", ""),
		"windows/arm/v7:10.0.1763": {OS: "windows", Architecture: "arm", OSVersion: "10.0.1763"},
	} {
		if got := platform.Format(p); got != want {
			t.Errorf("%v: got %s, want %s", p, got, want)
		}
	}
}

func TestSuffix(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"linux/amd64": "amd64", "linux/arm64/v8": "arm64", "linux/arm": "armv7", "linux/arm/v6": "armv6", "linux/386": "386",
		"linux/amd64/v3": "amd64v3", "linux/arm64/v8.2": "arm64v8.2", "linux/riscv64/rva22u64": "riscv64-rva22u64",
		"windows/amd64": "windows-amd64", "windows/amd64:10.0.20348.1": "windows-amd64-10.0.20348.1",
		"macos/arm64": "darwin-arm64",
	} {
		p, err := platform.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := platform.Suffix(p); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestIsUnknown(t *testing.T) {
	t.Parallel()
	for _, p := range []v1.Platform{{}, plat("unknown", "unknown", ""), plat("", "unknown", "")} {
		if !platform.IsUnknown(p) {
			t.Errorf("%v is unknown", p)
		}
	}
	for _, p := range []v1.Platform{plat("linux", "unknown", ""), plat("linux", "", ""), plat("linux", "amd64", "")} {
		if platform.IsUnknown(p) {
			t.Errorf("%v is not unknown", p)
		}
	}
}
