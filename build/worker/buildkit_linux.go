package worker

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/util/network/netproviders"
	resolverconfig "github.com/moby/buildkit/util/resolver/config"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/runc"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/build/emulator"
)

// newWorker opens BuildKit's runc worker. It is rootless for every caller: the namespace's root is not the host's.
func newWorker(ctx context.Context, c config, hosts docker.RegistryHosts) (*base.Worker, error) {
	binary := c.Runc
	if c.SingleID {
		var err error
		if binary, err = installShim(c.Root, c.Runc); err != nil {
			return nil, err
		}
	}
	network := netproviders.Opt{Mode: "host"}
	network.CNI.Root = c.Root
	opt, err := runc.NewWorkerOpt(c.Root, snapshotter(c.Root), true, oci.ProcessSandbox, nil, nil, network, nil,
		binary, "", false, nil, "", "", nil)
	if err != nil {
		return nil, err
	}
	opt.RegistryHosts = hosts
	opt.BuildkitVersion = client.BuildkitVersion{Package: "github.com/moby/buildkit", Version: "embedded"}
	opt.Platforms = runnable(emulator.Detect(), c.Emulators)
	return base.NewWorker(ctx, opt)
}

// snapshotter prefers overlayfs, which shares files between layers; the other one copies every layer whole.
func snapshotter(root string) runc.SnapshotterFactory {
	if overlayutils.Supported(filepath.Clean(root)) != nil {
		return runc.SnapshotterFactory{Name: "native", New: native.NewSnapshotter}
	}
	return runc.SnapshotterFactory{Name: "overlayfs", New: func(root string) (snapshots.Snapshotter, error) {
		return overlay.NewSnapshotter(root)
	}}
}

// runnable lists the platforms of a worker, the machine's own first: BuildKit takes that one for BUILDPLATFORM. They are
// declared, since trying them out takes longer than all the rest of starting.
func runnable(h emulator.Host, emulators []emulator.Found) []ocispecs.Platform {
	own := ocispecs.Platform{OS: h.Platform.OS, Architecture: h.Platform.Architecture, Variant: h.Platform.Variant}
	archs := slices.Clone(h.Also)
	for _, e := range emulators {
		archs = append(archs, e.Arch)
	}
	var all []ocispecs.Platform
	if own.Architecture == "amd64" { // a level includes those below; the lowest has no name
		highest := own.Variant
		own.Variant = ""
		all = append(all, own)
		for level := 2; "v"+strconv.Itoa(level) <= highest; level++ {
			all = append(all, withVariant(own, level))
		}
	} else {
		all = append(all, own)
	}
	for _, arch := range archs {
		p := ocispecs.Platform{OS: own.OS, Architecture: arch}
		if arch == "arm" {
			all = append(all, withVariant(p, 7), withVariant(p, 6), withVariant(p, 5))
			continue
		}
		all = append(all, p)
	}
	return all
}

func withVariant(p ocispecs.Platform, level int) ocispecs.Platform {
	p.Variant = "v" + strconv.Itoa(level)
	return p
}

// registryHosts is how base images are fetched.
func registryHosts(c config) map[string]resolverconfig.RegistryConfig {
	yes := true
	hosts := map[string]resolverconfig.RegistryConfig{}
	for _, h := range c.PlainHTTP {
		hosts[h] = resolverconfig.RegistryConfig{PlainHTTP: &yes}
	}
	for _, h := range c.SkipVerify {
		r := hosts[h]
		r.Insecure = &yes
		hosts[h] = r
	}
	return hosts
}
