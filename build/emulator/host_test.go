package emulator

import (
	"errors"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestOf(t *testing.T) {
	t.Parallel()
	hosts := map[string]Host{
		"amd64":            {Platform: linux("amd64", "v3"), Also: []string{"386"}},
		"amd64 without 32": {Platform: linux("amd64", "v2")},
		"arm64":            {Platform: linux("arm64", "v8"), Also: []string{"arm"}},
		"arm64 without 32": {Platform: linux("arm64", "")},
		"arm/v7":           {Platform: linux("arm", "v7")},
		"riscv64":          {Platform: linux("riscv64", "")},
		"darwin":           {Platform: v1.Platform{OS: "darwin", Architecture: "arm64"}},
	}
	const native, never = "native", "never"
	for _, c := range []struct {
		host   string
		target v1.Platform
		want   string
	}{
		{"amd64", linux("amd64", ""), native},
		{"amd64", linux("amd64", "v3"), native},
		{"amd64", linux("amd64", "v4"), never},
		{"amd64", linux("386", ""), native},
		{"amd64 without 32", linux("386", ""), "i386"},
		{"amd64 without 32", linux("amd64", "v3"), never},
		{"amd64", linux("arm64", ""), "aarch64"},
		{"amd64", linux("arm", "v7"), "arm"},
		{"amd64", linux("arm", "v6"), "arm"},
		{"amd64", linux("mips64le", ""), "mips64el"},
		{"amd64", linux("loong64", ""), "loongarch64"},
		{"amd64", linux("wasm", ""), never},
		{"amd64", v1.Platform{OS: "windows", Architecture: "amd64"}, never},
		{"arm64", linux("arm64", "v8"), native},
		{"arm64", linux("arm", "v7"), native},
		{"arm64 without 32", linux("arm", "v7"), "arm"},
		{"arm64 without 32", linux("arm64", ""), native},
		{"arm64", linux("amd64", "v4"), "x86_64"},
		{"arm64", linux("386", ""), "i386"},
		{"arm/v7", linux("arm", "v6"), native},
		{"arm/v7", linux("arm", ""), native},
		{"arm/v7", linux("arm64", ""), "aarch64"},
		{"arm/v7", linux("arm", "v8"), never},
		{"riscv64", linux("riscv64", ""), native},
		{"riscv64", linux("amd64", ""), "x86_64"},
		{"darwin", linux("arm64", ""), never},
	} {
		support, err := hosts[c.host].Support(c.target)
		got := support.Emulator.Name
		switch {
		case errors.Is(err, ErrImpossible):
			got = never
		case err != nil:
			t.Errorf("%s on %s: %v", c.target, c.host, err)
		case support.Native:
			got = native
		}
		if got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.target, c.host, got, c.want)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	h := Detect()
	if support, err := h.Support(v1.Platform{OS: h.Platform.OS, Architecture: h.Platform.Architecture}); h.Platform.OS == "linux" &&
		(err != nil || !support.Native) {
		t.Errorf("%+v does not run itself: %v", h, err)
	}
}

func linux(arch, variant string) v1.Platform {
	return v1.Platform{OS: "linux", Architecture: arch, Variant: variant}
}
