package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	resolverconfig "github.com/moby/buildkit/util/resolver/config"

	"mtool/registry/remote"
)

func TestHostName(t *testing.T) {
	t.Parallel()
	for mirror, want := range map[string]string{"a.example": "a.example", "a.example:5000/hub/x": "a.example:5000"} {
		if got := hostName(mirror); got != want {
			t.Errorf("%q: got %q, want %q", mirror, got, want)
		}
	}
}

func TestHostsOf(t *testing.T) {
	t.Parallel()
	ca, certs := filepath.Join(t.TempDir(), "ca.pem"), t.TempDir()
	if err := os.WriteFile(ca, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(certs, "b.example:5000"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := config{Registries: remote.Settings{
		PlainHTTP: []string{"plain.example"}, CertDirs: []string{certs},
		Hosts: map[string]remote.HostSettings{
			"docker.io": {Mirrors: []string{"127.0.0.1:5/hub", "plain.example"}}, "a.example": {CAFiles: []string{ca}},
			"gone.example": {CAFiles: []string{ca + "x"}},
			"127.0.0.1:6":  {CAFiles: []string{ca}},
		},
	}}
	for host, want := range map[string]string{
		"docker.io":      "http://127.0.0.1:5/v2/hub http://plain.example/v2 https://registry-1.docker.io/v2",
		"a.example":      "https://a.example/v2",
		"b.example:5000": "https://b.example:5000/v2",
		"plain.example":  "http://plain.example/v2",
		"127.0.0.1:6":    "https://127.0.0.1:6/v2",
		"127.0.0.1:7":    "http://127.0.0.1:7/v2",
	} {
		hosts, err := hostsOf(c)(host)
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		var got []string
		for _, h := range hosts {
			got = append(got, h.Scheme+"://"+h.Host+h.Path)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
	if _, err := hostsOf(c)("gone.example"); err == nil {
		t.Error("a missing CA file is ignored")
	}
	if _, ok := trust(c.Registries, "c.example", resolverconfig.RegistryConfig{}); ok {
		t.Error("certificates were found for a host that has none")
	}
	for host, want := range map[string]int{"b.example:5000": 1, "b.example": 0} {
		if got, _ := trust(c.Registries, host, resolverconfig.RegistryConfig{}); len(got.TLSConfigDir) != want {
			t.Errorf("%s: %q", host, got.TLSConfigDir)
		}
	}
}
