package worker

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/moby/buildkit/util/resolver"
	resolverconfig "github.com/moby/buildkit/util/resolver/config"

	"mtool/registry/remote"
)

// hostsOf is how the worker reaches registries: as this program does itself. BuildKit wants a table, and what is trusted
// for every host would need one without end: so a table is made for each host that is asked for.
func hostsOf(c config) docker.RegistryHosts {
	return func(host string) ([]docker.RegistryHost, error) {
		table := registryHosts(c)
		for _, name := range append([]string{host}, c.Registries.Hosts[host].Mirrors...) {
			name = hostName(name)
			if r, ok := trust(c.Registries, name, table[name]); ok {
				table[name] = r
			}
		}
		if mirrors := c.Registries.Hosts[host].Mirrors; len(mirrors) > 0 {
			r := table[host]
			r.Mirrors = mirrors
			table[host] = r
		}
		hosts, err := resolver.NewRegistryConfig(table)(host)
		for i, h := range hosts {
			// A loopback registry that may be trusted by a certificate may still speak plain HTTP.
			if local, _ := docker.MatchLocalhost(h.Host); local && h.Scheme == "https" && h.Client != nil {
				hosts[i].Client.Transport = docker.NewHTTPFallback(h.Client.Transport)
			}
			if h.Client != nil { // BuildKit's own waits for ever
				hosts[i].Client.Transport = remote.GuardCredentials(remote.RetryReads(remote.LimitIdle(h.Client.Transport, cmp.Or(c.Registries.Idle, time.Minute))))
			}
		}
		return hosts, err
	}
}

// trust adds the certificates for a host to what is known of it; false says that there are none.
func trust(r remote.Settings, host string, known resolverconfig.RegistryConfig) (resolverconfig.RegistryConfig, bool) {
	own := r.Hosts[host]
	known.RootCAs = append(append([]string{}, r.CAFiles...), own.CAFiles...)
	for _, dir := range r.CertDirs {
		if dir = filepath.Join(dir, host); isDir(dir) {
			known.TLSConfigDir = append(known.TLSConfigDir, dir)
		}
	}
	if own.ClientCert != "" {
		known.KeyPairs = []resolverconfig.TLSKeyPair{{Certificate: own.ClientCert, Key: own.ClientKey}}
	}
	if len(known.RootCAs)+len(known.TLSConfigDir)+len(known.KeyPairs) == 0 {
		return known, false
	}
	if known.PlainHTTP == nil {
		no := false // else a loopback host is never asked by TLS
		known.PlainHTTP = &no
	}
	return known, true
}

// hostName is the host of a mirror, which may have a path.
func hostName(mirror string) string {
	host, _, _ := strings.Cut(mirror, "/")
	return host
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
