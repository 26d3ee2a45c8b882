package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/diff/apply"
	ctdmetadata "github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/snapshots"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/diff/walking"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/moby/buildkit/cache/metadata"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/executor/resources"
	"github.com/moby/buildkit/executor/runcexecutor"
	containerdsnapshot "github.com/moby/buildkit/snapshot/containerd"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/leaseutil"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/util/winlayers"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/label"
	bolt "go.etcd.io/bbolt"

	"mtool/build/emulator"
)

// namespace is the one in containerd's database that everything is kept under.
const namespace = "buildkit"

// newWorker puts BuildKit's runc worker together. BuildKit's own constructor, worker/runc.NewWorkerOpt, makes an RSA key
// for its recording proxy at each start, which takes more time than all the rest and is not for processes that live as
// long as one build.
func newWorker(ctx context.Context, c config, hosts docker.RegistryHosts, note func(string)) (*base.Worker, error) {
	name, snapshotter, err := newSnapshotter(c.Root, note)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(c.Root, "runc-"+name)
	opt, err := openState(root, name, snapshotter)
	if err != nil {
		return nil, err
	}
	opt.NetworkProviders = map[pb.NetMode]network.Provider{
		pb.NetMode_UNSET: network.NewHostProvider(),
		pb.NetMode_HOST:  network.NewHostProvider(),
		pb.NetMode_NONE:  network.NewNoneProvider(),
	}
	if opt.ResourceMonitor, err = resources.NewMonitor(); err != nil {
		return nil, err
	}
	if opt.Executor, err = newExecutor(c, filepath.Join(root, "executor"), opt); err != nil {
		return nil, err
	}
	opt.RegistryHosts = hosts
	opt.BuildkitVersion = client.BuildkitVersion{Package: "github.com/moby/buildkit", Version: "embedded"}
	opt.Platforms = runnable(emulator.Detect(), c.Emulators)
	opt.Labels = map[string]string{label.Executor: "oci", label.Snapshotter: name, label.Network: "host", label.OCIProcessMode: oci.ProcessSandbox.String()}
	return base.NewWorker(ctx, opt)
}

// newSnapshotter prefers overlayfs, which shares files between layers; native copies every layer whole.
func newSnapshotter(root string, note func(string)) (name string, s snapshots.Snapshotter, err error) {
	name, create := "overlayfs", func(dir string) (snapshots.Snapshotter, error) { return overlay.NewSnapshotter(dir) }
	if err := overlayutils.Supported(root); err != nil {
		note("layers are copied whole, which is slow and gives other digests than elsewhere: overlayfs can't be used here: " + err.Error())
		name, create = "native", native.NewSnapshotter
	}
	s, err = create(filepath.Join(root, "runc-"+name, "snapshots"))
	return name, s, err
}

// openState opens what a worker remembers: content, snapshots, and the databases about them.
func openState(root, name string, snapshotter snapshots.Snapshotter) (opt base.WorkerOpt, err error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return opt, err
	}
	blobs, err := contentlocal.NewStore(filepath.Join(root, "content"))
	if err != nil {
		return opt, err
	}
	db, err := bolt.Open(filepath.Join(root, "containerdmeta.db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return opt, err
	}
	meta := ctdmetadata.NewDB(db, blobs, map[string]snapshots.Snapshotter{name: snapshotter})
	if err := meta.Init(context.Background()); err != nil {
		return opt, fmt.Errorf("opening %q: %w", db.Path(), err)
	}
	if opt.MetadataStore, err = metadata.NewStore(filepath.Join(root, "metadata_v2.db")); err != nil {
		return opt, err
	}
	if opt.ID, err = base.ID(root); err != nil {
		return opt, err
	}
	content := containerdsnapshot.NewContentStore(meta.ContentStore(), namespace)
	opt.Root = root
	opt.ContentStore = content
	opt.Snapshotter = containerdsnapshot.NewSnapshotter(name, meta.Snapshotter(name), namespace, nil)
	opt.Applier = winlayers.NewFileSystemApplierWithWindows(content, apply.NewFileSystemApplier(content))
	opt.Differ = winlayers.NewWalkingDiffWithWindows(content, walking.NewWalkingDiff(content))
	opt.LeaseManager = leaseutil.WithNamespace(ctdmetadata.NewLeaseManager(meta), namespace)
	opt.GarbageCollect = meta.GarbageCollect
	opt.MountPoolRoot = filepath.Join(root, "cachemounts")
	return opt, nil
}

// newExecutor runs steps by runc. It is rootless for every caller: the namespace's root is not the host's.
func newExecutor(c config, root string, opt base.WorkerOpt) (executor.Executor, error) {
	binary := c.Runc
	if c.SingleID {
		var err error
		if binary, err = installShim(c.Root, c.Runc); err != nil {
			return nil, err
		}
	}
	return runcexecutor.New(runcexecutor.Opt{
		Root: root, CommandCandidates: []string{binary}, Rootless: true, ProcessMode: oci.ProcessSandbox, ResourceMonitor: opt.ResourceMonitor,
	}, opt.NetworkProviders)
}
