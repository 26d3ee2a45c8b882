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
	"syscall"

	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/moby/buildkit/executor"
	resources "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/util/resolvconf"
	"github.com/opencontainers/runtime-spec/specs-go"

	"mtool/build/advice"
	"mtool/build/netns"
)

// ownNetworks gives each step a network of its own.
type ownNetworks struct {
	maker  netns.Maker
	rules  netns.Rules
	resolv string              // the path of the steps' resolv.conf
	first  chan *netns.Network // made to see whether that works, for the first step
}

// startNetworks returns a function that waits for the steps' networks: their own, or the machine's.
func startNetworks(c config) func() (network.Provider, error) {
	if !c.OwnNetwork {
		return func() (network.Provider, error) { return network.NewHostProvider(), nil }
	}
	type made struct {
		own *ownNetworks
		err error
	}
	done := make(chan made, 1)
	go func() {
		own, err := newOwnNetworks(c)
		done <- made{own, err}
	}()
	return func() (network.Provider, error) {
		m := <-done
		if m.err != nil {
			return nil, noNetwork(m.err)
		}
		return m.own, nil
	}
}

// noNetwork explains why no network could be made.
func noNetwork(err error) *failure {
	f := &failure{Doing: "giving RUN steps a network of their own", Why: err.Error()}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		f.Why = "no more network namespaces are allowed here: user.max_net_namespaces is reached"
		f.Advice = advice.Of(advice.KernelSetting, "user.max_net_namespaces", "15000")
	case errors.Is(err, syscall.EOPNOTSUPP):
		f.Why += "; does the kernel have veth?"
		f.Advice = advice.Say("as root: modprobe veth")
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		f.Advice = advice.Of(advice.OpenContainer)
	}
	return f
}

func newOwnNetworks(c config) (*ownNetworks, error) {
	o := &ownNetworks{
		rules:  netns.Rules{Proxies: c.Proxies, Host: c.HostGateway},
		resolv: filepath.Join(runDir(c.Root), "resolv.conf"),
		first:  make(chan *netns.Network, 1),
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
	if err := os.WriteFile(o.resolv, text, 0o644); err != nil { // every user of a step reads it
		return nil, err
	}
	first, err := o.maker.New(o.rules)
	if err != nil {
		return nil, err
	}
	o.first <- first
	return o, nil
}

// New implements network.Provider.
func (o *ownNetworks) New(context.Context, string, network.NamespaceOptions) (network.Namespace, error) {
	var n *netns.Network
	var err error
	select {
	case n = <-o.first:
	default:
		if n, err = o.maker.New(o.rules); err != nil {
			return nil, err
		}
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
		if name, value, _ := strings.Cut(kv, "="); IsProxy(name) {
			s.Process.Env[i] = name + "=" + throughGateway(value, n.of.rules.Proxies)
		}
	}
	return oci.WithLinuxNamespace(specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: n.Path()})(nil, nil, nil, s)
}

// Sample implements network.Namespace.
func (ownNetwork) Sample() (*resources.NetworkSample, error) { return nil, nil } //nolint:nilnil // as BuildKit's own

// Close implements network.Namespace.
func (n ownNetwork) Close() error { return n.close() }

// throughGateway returns the address by which a step reaches a proxy at this machine's loopback, if it may.
func throughGateway(proxy string, allowed []uint16) string {
	u, err := url.Parse(proxy)
	if err != nil || !slices.Contains(allowed, LoopbackPort(proxy)) {
		return proxy
	}
	u.Host = net.JoinHostPort(netns.Gateway, u.Port())
	return u.String()
}

// networkExecutor tells steps how to reach resolvers and this machine in the network that they are in.
type networkExecutor struct {
	executor.Executor
	own, hostGateway bool
}

// Run implements executor.Executor.
//
//nolint:revive // executor.Executor has six arguments
func (e networkExecutor) Run(
	ctx context.Context, id string, root executor.Mount, mounts []executor.Mount, process executor.ProcessInfo,
	started chan<- struct{},
) (resources.Recorder, error) {
	switch process.Meta.NetMode {
	case pb.NetMode_UNSET:
		if !e.own {
			process.Meta.NetMode = pb.NetMode_HOST // BuildKit keeps resolvers at 127.0.0.1 only then
		}
	case pb.NetMode_HOST:
		if e.own && e.hostGateway {
			process.Meta.ExtraHosts = atLoopback(process.Meta.ExtraHosts)
		}
	}
	return e.Executor.Run(ctx, id, root, mounts, process, started)
}

// atLoopback returns added hosts as the host's network has them.
func atLoopback(hosts []executor.HostIP) []executor.HostIP {
	hosts = slices.Clone(hosts)
	for i := range hosts {
		if hosts[i].IP.String() == netns.Gateway {
			hosts[i].IP = net.IPv4(127, 0, 0, 1)
		}
	}
	return hosts
}
