package worker

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/emulator"
	"mtool/registry/remote"
)

// foreign returns the emulator for arch, as s390x hosts would use it.
func foreign(t *testing.T, arch string) emulator.Emulator {
	t.Helper()
	support, err := emulator.Host{Platform: v1.Platform{OS: "linux", Architecture: "s390x"}}.Support(v1.Platform{
		OS:           "linux",
		Architecture: arch,
	})
	if err != nil {
		t.Fatal(err)
	}
	return support.Emulator
}

func TestRunnable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host      emulator.Host
		emulators []string
		want      string
	}{
		{
			emulator.Host{Platform: v1.Platform{OS: "linux", Architecture: "amd64", Variant: "v3"}, Also: []string{"386"}},
			[]string{"arm64"},
			"linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/386 linux/arm64",
		},
		{
			emulator.Host{Platform: v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, Also: []string{"arm"}},
			nil,
			"linux/arm64/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5",
		},
	} {
		var found []emulator.Found
		for _, arch := range c.emulators {
			found = append(found, emulator.Found{Emulator: foreign(t, arch)})
		}
		var got []string
		for _, p := range runnable(c.host, found) {
			got = append(got, platforms.Format(p))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("got  %s\nwant %s", s, c.want)
		}
	}
}

func TestRegistryHosts(t *testing.T) {
	t.Parallel()
	hosts := registryHosts(
		config{Registries: remote.Settings{PlainHTTP: []string{"a", "b"}, SkipVerify: []string{"b", "c"}}})
	yes := func(p *bool) bool { return p != nil && *p }
	for host, want := range map[string][2]bool{"a": {true, false}, "b": {true, true}, "c": {false, true}, "d": {}} {
		if h := hosts[host]; yes(h.PlainHTTP) != want[0] || yes(h.Insecure) != want[1] {
			t.Errorf("%s: %+v, want %v", host, h, want)
		}
	}
}
