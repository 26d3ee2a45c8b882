package platform_test

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"linux/amd64":                   "linux/amd64",
		"Linux/AMD64":                   "linux/amd64",
		"linux/amd64/v1":                "linux/amd64",
		"linux/amd64/v3":                "linux/amd64/v3",
		"linux/x86_64":                  "linux/amd64",
		"linux/x86-64":                  "linux/amd64",
		"linux/arm64/v8":                "linux/arm64",
		"linux/arm64/8":                 "linux/arm64",
		"linux/arm64/v8.0":              "linux/arm64",
		"linux/arm64/v8.2":              "linux/arm64/v8.2",
		"linux/arm64/v9.0":              "linux/arm64/v9",
		"linux/arm64/v9.5":              "linux/arm64/v9.5",
		"linux/aarch64":                 "linux/arm64",
		"linux/arm":                     "linux/arm/v7",
		"linux/arm/7":                   "linux/arm/v7",
		"linux/arm/v6":                  "linux/arm/v6",
		"linux/arm/v8":                  "linux/arm/v8",
		"linux/armhf":                   "linux/arm/v7",
		"linux/armhf/v7":                "linux/arm/v7",
		"linux/armel":                   "linux/arm/v6",
		"linux/armv5":                   "linux/arm/v5",
		"linux/i386":                    "linux/386",
		"linux/ppc64el":                 "linux/ppc64le",
		"linux/ppc64le/power9":          "linux/ppc64le/power9",
		"linux/mips64el":                "linux/mips64le",
		"linux/mipsle/softfloat":        "linux/mipsle/softfloat",
		"linux/loongarch64":             "linux/loong64",
		"linux/riscv64/rva22u64":        "linux/riscv64/rva22u64",
		"linux/arm/armv7":               "linux/arm/v7",
		"linux/arm64/armv8":             "linux/arm64",
		"linux/sw64":                    "linux/sw64",
		"linux/sw_64":                   "linux/sw64",
		"shenwei":                       "linux/sw64",
		"macos/arm64":                   "darwin/arm64",
		"wasip1/wasm":                   "wasip1/wasm",
		"wasip2/wasm":                   "wasip2/wasm",
		"linux/wasm":                    "linux/wasm",
		"windows/amd64:10.0.20348.1":    "windows/amd64:10.0.20348.1",
		"windows(10.0.20348.1)/amd64":   "windows/amd64:10.0.20348.1",
		"windows/arm/v7:10.0.17763.107": "windows/arm/v7:10.0.17763.107",
		"arm64":                         "linux/arm64",
		"arm/v6":                        "linux/arm/v6",
		"local":                         platform.Format(platform.Host()),
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			p, err := platform.Parse(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := platform.Format(p); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// Each message must list the valid values, or suggest one in its hint.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct{ message, hint string }{
		"linux/amd64/v8":       {`unknown amd64 variant "v8"; valid: v1, v2, v3, v4`, "os/arch"},
		"linux/arm46":          {`unknown linux architecture "arm46"; valid: 386, amd64, arm, arm64,`, "did you mean arm64?"},
		"linx/amd64":           {`unknown operating system "linx"; valid: aix,`, "did you mean linux?"},
		"amd46":                {`operating system or architecture "amd46"`, "did you mean amd64?"},
		"linux/armv8":          {`"armv8"; valid: `, "arm64 (64-bit) or arm/v8 (32-bit)"},
		"linux/s390x/v2":       {"s390x has no variants", "did you mean linux/s390x?"},
		"windows/s390x":        {`unknown windows architecture "s390x"; valid: 386, amd64, arm, arm64`, ""},
		"wasm":                 {`operating system or architecture "wasm"`, ""},
		"darwin/wasm":          {`unknown darwin architecture "wasm"`, ""},
		"linux/armhf/v6":       {"armhf means arm/v7, which contradicts v6", "did you mean arm/v6?"},
		"linux":                {"names no architecture; valid: 386, amd64", ""},
		"":                     {"it is empty", ""},
		"/":                    {"is not os/arch[/variant][:os.version]", ""},
		"linux/":               {"is not os/arch", ""},
		"linux//v7":            {"is not os/arch", ""},
		"linux/arm/v7/x":       {"is not os/arch", ""},
		"linux/*":              {"wildcards and templates", ""},
		"*":                    {"wildcards and templates", ""},
		"linux/{{.Arch}}":      {"wildcards and templates", ""},
		"$TARGETPLATFORM":      {"wildcards and templates", ""},
		"linux/amd64,linux/s":  {`unknown linux architecture "amd64,linux"`, ""},
		" linux/amd64":         {`operating system " linux"`, "did you mean linux?"},
		"windows/amd64:":       {"the os.version is empty", ""},
		"windows/amd64:10 0":   {"os.version is not letters", ""},
		"unknown/unknown":      {`operating system "unknown"`, ""},
		"linux/amd64/v3/extra": {"is not os/arch", ""},
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			p, err := platform.Parse(in)
			if !errors.Is(err, platform.ErrInvalid) {
				t.Fatalf("got %v and error %v, want ErrInvalid", p, err)
			}
			if !strings.Contains(err.Error(), want.message) {
				t.Errorf("message is %q, want it to contain %q", err, want.message)
			}
			var h interface{ Hint() string }
			if !errors.As(err, &h) || !strings.Contains(h.Hint(), want.hint) {
				t.Errorf("want a hint with %q, got %v", want.hint, h)
			}
		})
	}
}

func TestParseArch(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"amd64": "linux/amd64", "arm64": "linux/arm64", "arm": "linux/arm/v7", "arm/v6": "linux/arm/v6", "386": "linux/386",
		"aarch64": "linux/arm64", "armv7": "linux/arm/v7", "armv6": "linux/arm/v6", "armv5": "linux/arm/v5",
		"armhf": "linux/arm/v7", "x86_64": "linux/amd64", "i686": "linux/386", "x86": "linux/386",
		"arm32v7": "linux/arm/v7", "arm64v8": "linux/arm64", "amd64/v3": "linux/amd64/v3", "s390x": "linux/s390x",
	} {
		p, err := platform.ParseArch(in)
		if err != nil || platform.Format(p) != want {
			t.Errorf("%s: got %s and error %v, want %s", in, platform.Format(p), err, want)
		}
	}
	for _, in := range []string{"", "arm46", "linux/arm64", "amd64/v8", "armv9", "*", "wasm", "armhf/v6", "linux"} {
		if p, err := platform.ParseArch(in); !errors.Is(err, platform.ErrInvalid) {
			t.Errorf("%q: got %v and error %v, want ErrInvalid", in, p, err)
		}
	}
}

func TestParseList(t *testing.T) {
	t.Parallel()
	all, err := platform.ParseList([]string{"linux/arm64, linux/amd64", "linux/arm64/v8", "linux/arm"})
	if err != nil {
		t.Fatal(err)
	}
	want := []v1.Platform{
		{OS: "linux", Architecture: "arm64"},
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm", Variant: "v7"},
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got %v, want %v: in the order given, each once", all, want)
	}
	if none, err := platform.ParseArchList(nil); err != nil || none != nil {
		t.Errorf("got %v and error %v for an empty list", none, err)
	}
	archs, err := platform.ParseArchList([]string{"amd64,aarch64", "x86_64"})
	if err != nil || len(archs) != 2 {
		t.Errorf("got %v and error %v, want two", archs, err)
	}
	for _, in := range []string{"linux/amd64,", ",", "linux/amd64,linux/arm46"} {
		if _, err := platform.ParseList([]string{in}); !errors.Is(err, platform.ErrInvalid) {
			t.Errorf("%q: error is %v, want ErrInvalid", in, err)
		}
	}
}

// The output of `go tool dist list`, and two that Go dropped but registries still serve.
func TestParseKnowsGoPorts(t *testing.T) {
	t.Parallel()
	const ports = `aix/ppc64 android/386 android/amd64 android/arm android/arm64 darwin/amd64 darwin/arm64 dragonfly/amd64
		freebsd/386 freebsd/amd64 freebsd/arm freebsd/arm64 freebsd/riscv64 illumos/amd64 ios/amd64 ios/arm64 js/wasm
		linux/386 linux/amd64 linux/arm linux/arm64 linux/loong64 linux/mips linux/mips64 linux/mips64le linux/mipsle
		linux/ppc64 linux/ppc64le linux/riscv64 linux/s390x netbsd/386 netbsd/amd64 netbsd/arm netbsd/arm64 openbsd/386
		openbsd/amd64 openbsd/arm openbsd/arm64 openbsd/ppc64 openbsd/riscv64 plan9/386 plan9/amd64 plan9/arm solaris/amd64
		wasip1/wasm windows/386 windows/amd64 windows/arm64 windows/arm darwin/386`
	for port := range strings.FieldsSeq(ports) {
		if _, err := platform.Parse(port); err != nil {
			t.Error(err)
		}
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	h := platform.Host()
	if h.OS != runtime.GOOS || h.Architecture != runtime.GOARCH || h.OSVersion != "" {
		t.Errorf("got %v on %s/%s", h, runtime.GOOS, runtime.GOARCH)
	}
	if err := platform.Validate(h); err != nil {
		t.Error(err)
	}
}

// Each accepted platform has one canonical spelling, which parses to itself.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"linux/arm/v7", "windows/amd64:10.0.20348.1", "windows(10.0)/arm", "armhf", "arm/8", "linux/amd64/v8", "a:b:c",
		"LINUX/X86_64", "linux/*", "/", "(", "linux/arm64/v9.0", "()", "linux/386/sse2:1", "local",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := platform.Parse(s)
		if err != nil {
			if !errors.Is(err, platform.ErrInvalid) {
				t.Fatalf("%q: error %v is not ErrInvalid", s, err)
			}
			return
		}
		if !reflect.DeepEqual(p, platform.Normalize(p)) {
			t.Errorf("%q: %#v is no normal form", s, p)
		}
		again, err := platform.Parse(platform.Format(p))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%q: %#v is written %q and reads back as %#v, error %v", s, p, platform.Format(p), again, err)
		}
	})
}
