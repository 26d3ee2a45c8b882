//go:build !mips64le

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

// hostsOf returns how the worker reaches registries: like this program. BuildKit expects a table of hosts, but some
// settings apply to every host, so a table is made for each requested host.
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
			if h.Client != nil { // BuildKit's own waits forever
				hosts[i].Client.Transport = remote.GuardCredentials(
					remote.RetryReads(remote.LimitIdle(h.Client.Transport, cmp.Or(c.Registries.Idle, time.Minute))))
			}
		}
		return hosts, err
	}
}

// trust adds the certificates for a host to its settings; it returns false if there are none.
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
		no := false // otherwise a loopback host is never tried with TLS
		known.PlainHTTP = &no
	}
	return known, true
}

// hostName returns the host of a mirror, which may have a path.
func hostName(mirror string) string {
	host, _, _ := strings.Cut(mirror, "/")
	return host
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
