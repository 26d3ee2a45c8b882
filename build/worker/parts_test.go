package worker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/emulator"
	"mtool/registry/remote"
)

func TestTail(t *testing.T) {
	t.Parallel()
	var l tail
	for i := range 10000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	if got := l.String(); len(got) > tailSize || !strings.HasSuffix(got, "line 9998\nline 9999") {
		t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-20):])
	}
}

func TestChildEnv(t *testing.T) {
	t.Parallel()
	got := childEnv([]string{
		"HTTPS_PROXY=p", "USER=anna", "PATH=/bin", "XDG_RUNTIME_DIR=/run/user/1000",
		"NOTIFY_SOCKET=x", "TMPDIR=/t",
	})
	if want := []string{"HTTPS_PROXY=p", "PATH=/bin:/usr/sbin:/sbin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := childEnv(nil); len(got) != 1 || !strings.Contains(got[0], "/usr/sbin") {
		t.Errorf("without a PATH: %q", got)
	}
}

// TestKeptEnv: what steps can see holds no more than the path, and what the worker is told no credentials of
// registries.
func TestKeptEnv(t *testing.T) {
	t.Parallel()
	env := []string{
		"https_proxy=p", "SSL_CERT_FILE=/ca", "DOCKER_AUTH_CONFIG=secret", "AWS_SECRET_ACCESS_KEY=secret",
		"PATH=/bin", "HOME=/root",
	}
	if got, want := bareEnv(env), []string{"PATH=/bin:/usr/sbin:/sbin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := keptEnv(env), env[:2]; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// foreign is the emulator of arch, as a machine of yet another architecture knows it.
func foreign(t *testing.T, arch string) emulator.Emulator {
	t.Helper()
	way, err := emulator.Host{Platform: v1.Platform{OS: "linux", Architecture: "s390x"}}.Of(v1.Platform{
		OS:           "linux",
		Architecture: arch,
	})
	if err != nil {
		t.Fatal(err)
	}
	return way.Emulator
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
