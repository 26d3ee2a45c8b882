//go:build !mips64le

package worker

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/pkg/oci"
	resources "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/util/resolvconf"
	"github.com/opencontainers/runtime-spec/specs-go"

	"mtool/build/netns"
)

// ownNetworks gives each step a network of its own.
type ownNetworks struct {
	maker  netns.Maker
	rules  netns.Rules
	resolv string // the path of the steps' resolv.conf
}

func newOwnNetworks(c config) (*ownNetworks, error) {
	o := &ownNetworks{
		rules:  netns.Rules{Proxies: c.Proxies, Host: c.HostGateway},
		resolv: filepath.Join(runDir(c.Root), "resolv.conf"),
	}
	dns, err := resolvconf.Load("/etc/resolv.conf")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, server := range dns.NameServers() {
		o.rules.Resolvers = append(o.rules.Resolvers, server.String())
	}
	if len(o.rules.Resolvers) == 0 {
		o.rules.Resolvers = []string{"127.0.0.1"} // as libc
	}
	var servers []netip.Addr
	for _, server := range o.rules.Nameservers() {
		servers = append(servers, netip.MustParseAddr(server))
	}
	dns.OverrideNameServers(servers)
	text, err := dns.Generate(false)
	if err != nil {
		return nil, err
	}
	return o, os.WriteFile(o.resolv, text, 0o644) // every user of a step reads it
}

// New implements network.Provider.
func (o *ownNetworks) New(context.Context, string, network.NamespaceOptions) (network.Namespace, error) {
	n, err := o.maker.New(o.rules)
	if err != nil {
		return nil, err
	}
	return ownNetwork{n, o, sync.OnceValue(n.Close)}, nil
}

// Close implements network.Provider.
func (*ownNetworks) Close() error { return nil }

type ownNetwork struct {
	*netns.Network
	of    *ownNetworks
	close func() error
}

// Set puts a step into the network.
func (n ownNetwork) Set(s *specs.Spec) error {
	for i := range s.Mounts {
		if s.Mounts[i].Destination == "/etc/resolv.conf" {
			s.Mounts[i].Source = n.of.resolv
		}
	}
	for i, kv := range s.Process.Env {
		if name, value, _ := strings.Cut(kv, "="); isProxy(name) {
			s.Process.Env[i] = name + "=" + throughGateway(value, n.of.rules.Proxies)
		}
	}
	return oci.WithLinuxNamespace(specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: n.Path()})(nil, nil, nil, s)
}

// Sample implements network.Namespace.
func (ownNetwork) Sample() (*resources.NetworkSample, error) { return nil, nil } //nolint:nilnil // as BuildKit's own

// Close implements network.Namespace.
func (n ownNetwork) Close() error { return n.close() }

func isProxy(name string) bool {
	return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"}, strings.ToUpper(name))
}

// throughGateway returns the address by which a step reaches a proxy at this machine's loopback, if it may.
func throughGateway(proxy string, allowed []uint16) string {
	u, err := url.Parse(proxy)
	if err != nil || !slices.Contains(allowed, LoopbackPort(proxy)) {
		return proxy
	}
	u.Host = net.JoinHostPort(netns.Gateway, u.Port())
	return u.String()
}
