//go:build !mips64le

package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	ctdmetadata "github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/executor/resources"
	"github.com/moby/buildkit/executor/runcexecutor"
	containerdsnapshot "github.com/moby/buildkit/snapshot/containerd"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/source/http"
	"github.com/moby/buildkit/util/leaseutil"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/util/tracing"
	"github.com/moby/buildkit/util/winlayers"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/label"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"mtool/build/device"
	"mtool/registry/remote"
)

// namespace is the namespace for everything in containerd's database.
const namespace = "buildkit"

// newWorker assembles BuildKit's runc worker. BuildKit's own constructor, worker/runc.NewWorkerOpt, generates an RSA
// key for its recording proxy at each start, which takes longer than the rest and is too slow for a process that
// lives for one build.
func newWorker(ctx context.Context, c config, hosts docker.RegistryHosts, note func(string)) (*deviceWorker, error) {
	name, snapshotter, err := newSnapshotter(c, note)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(c.Root, "runc-"+name)
	networks := startNetworks(c) // while the state is opened
	opt, err := openStores(c, root, name, snapshotter)
	own, noNetwork := networks()
	if err = errors.Join(err, noNetwork); err != nil {
		return nil, err
	}
	opt.NetworkProviders = map[pb.NetMode]network.Provider{
		pb.NetMode_UNSET: own,
		pb.NetMode_HOST:  network.NewHostProvider(),
		pb.NetMode_NONE:  network.NewNoneProvider(),
	}
	if opt.ResourceMonitor, err = resources.NewMonitor(); err != nil {
		return nil, err
	}
	if opt.Executor, err = newExecutor(c, filepath.Join(root, "executor"), opt); err != nil {
		return nil, err
	}
	opt.ParallelismSem = semaphore.NewWeighted(int64(c.MaxParallelism))
	opt.RegistryHosts = hosts
	opt.BuildkitVersion = client.BuildkitVersion{Package: "github.com/moby/buildkit", Version: "embedded"}
	opt.Platforms = runnable(c.Host, c.Emulators)
	opt.Labels = map[string]string{
		label.Executor: "oci", label.Snapshotter: name, label.Network: "host",
		label.OCIProcessMode: processMode(c).String(),
	}
	noDevices := keepsXattrs(root)
	if noDevices == nil {
		noDevices = device.Serve(root)
	}
	w, err := base.NewWorker(ctx, opt)
	if err != nil {
		return nil, err
	}
	local, err := newContexts(w.CacheMgr)
	if err != nil {
		return nil, err
	}
	w.SourceManager.Register(local)
	return &deviceWorker{w, noDevices, withInit(opt.Executor, c)}, limitDownloads(w, c)
}

// limitDownloads replaces BuildKit's HTTP source of ADD, which waits forever and sends a login to every port of a
// host. This one ends stalled downloads and sends the login only to its own port.
func limitDownloads(w *base.Worker, c config) (err error) {
	limited := remote.GuardCredentials(remote.LimitIdle(tracing.DefaultTransport, cmp.Or(c.Registries.Idle, time.Minute)))
	if w.HTTPSource, err = http.NewSource(http.Opt{CacheAccessor: w.CacheMgr, Transport: limited}); err != nil {
		return err
	}
	w.SourceManager.Register(w.HTTPSource)
	return nil
}

// newSnapshotter prefers overlayfs, which shares files between layers; native copies every layer whole.
func newSnapshotter(c config, note func(string)) (name string, s snapshots.Snapshotter, err error) {
	if err := takesOverlay(c.Root); err != nil {
		note(onlyCopies(c.Root, err))
		name = "native"
		s, err = native.NewSnapshotter(filepath.Join(c.Root, "runc-"+name, "snapshots"))
		return name, s, err
	}
	name = "overlayfs"
	s, err = newOverlay(filepath.Join(c.Root, "runc-"+name, "snapshots"), c.NoSync)
	return name, s, err
}

// takesOverlay reports whether an overlay can be mounted on the file system of root. It tries once per boot: mounting
// takes a tenth of a build that changes nothing.
func takesOverlay(root string) error {
	var stat unix.Stat_t
	if err := unix.Stat(root, &stat); err != nil {
		return err
	}
	mark, tried := filepath.Join(root, "overlay"), fmt.Sprintf("%s %d", bootID(), stat.Dev)
	if b, err := os.ReadFile(mark); err == nil && string(b) == tried {
		return nil
	}
	if err := errors.Join(overlayutils.Supported(root), keepsXattrs(root)); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(tried), 0o600)
}

// newOverlay sets the option userxattr, which containerd does not set on a tmpfs: in a user namespace an overlay's
// own attributes are user attributes. Since Linux 6.6 a tmpfs supports them, which keepsXattrs has checked.
func newOverlay(dir string, noSync bool) (snapshots.Snapshotter, error) {
	store, err := storage.NewMetaStore(filepath.Join(dir, "metadata.db"),
		func(o *bolt.Options) error { o.NoSync = noSync; return nil })
	if err != nil {
		return nil, err
	}
	opts := []overlay.Opt{overlay.WithMetaStore(store)}
	if overlayutils.IsPathOnTmpfs(filepath.Dir(filepath.Dir(dir))) {
		opts = append(opts, overlay.WithMountOptions([]string{"userxattr"}))
	}
	return overlay.NewSnapshotter(dir, opts...)
}

// keepsXattrs tries the attributes that an overlay needs in a user namespace: without them a directory that was
// removed and created again silently shows its old files.
func keepsXattrs(root string) error {
	const name = "user.mtool"
	if err := unix.Setxattr(root, name, []byte("y"), 0); err != nil {
		return fmt.Errorf("keeping extended attributes: %w", err)
	}
	return unix.Removexattr(root, name)
}

// onlyCopies explains what follows if overlayfs can't be used on the file system of root.
func onlyCopies(root string, err error) string {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = errno // the rest repeats the options of the mount that was tried
	}
	text := fmt.Sprintf(
		"layers are copied whole, which is slow and gives other digests than elsewhere: overlayfs can't be used on the file system of %q: %v; "+
			"MTOOL_HOME on another one helps, in a container a volume", root, err)
	var fs unix.Statfs_t
	if unix.Statfs(root, &fs) != nil {
		return text
	}
	if fs.Flags&unix.ST_NOEXEC != 0 {
		text += "; it is mounted noexec, so RUN steps will fail"
	}
	if fs.Flags&unix.ST_NOSUID != 0 {
		text += "; it is mounted nosuid, so set-user-id programs won't work in RUN steps"
	}
	return text
}

// openStores opens a worker's content, snapshots, and databases.
func openStores(c config, root, name string, snapshotter snapshots.Snapshotter) (opt base.WorkerOpt, err error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return opt, err
	}
	blobs, err := contentlocal.NewStore(filepath.Join(root, "content"))
	if err != nil {
		return opt, err
	}
	db, err := bolt.Open(filepath.Join(root, "containerdmeta.db"), 0o600, c.database())
	if err != nil {
		return opt, err
	}
	meta := ctdmetadata.NewDB(db, blobs, map[string]snapshots.Snapshotter{name: snapshotter})
	if err := meta.Init(context.Background()); err != nil {
		return opt, fmt.Errorf("opening %q: %w", db.Path(), err)
	}
	if opt.MetadataStore, err = newMetadata(filepath.Join(root, "metadata_v2.db"), c.NoSync); err != nil {
		return opt, err
	}
	if opt.ID, err = base.ID(root); err != nil {
		return opt, err
	}
	content := containerdsnapshot.NewContentStore(packedOnly{meta.ContentStore()}, namespace)
	packing := containerdsnapshot.NewContentStore(meta.ContentStore(), namespace)
	opt.Root = root
	opt.ContentStore = content
	opt.Snapshotter = containerdsnapshot.NewSnapshotter(name, meta.Snapshotter(name), namespace, nil)
	opt.Applier = winlayers.NewFileSystemApplierWithWindows(content, unpacker{content, keepsXattrs(root)})
	opt.Differ = winlayers.NewWalkingDiffWithWindows(packing, packer{packing})
	opt.LeaseManager = leaseutil.WithNamespace(ctdmetadata.NewLeaseManager(meta), namespace)
	opt.GarbageCollect = meta.GarbageCollect
	opt.MountPoolRoot = filepath.Join(root, "cachemounts")
	return opt, nil
}

// newExecutor returns the executor that runs steps with runc. It is always rootless: the namespace's root is not the
// host's.
func newExecutor(c config, root string, opt base.WorkerOpt) (executor.Executor, error) {
	binary := c.Runc
	if c.SingleID || c.Shared || c.DropHostname {
		var err error
		if binary, err = installShim(c.Root,
			shimTask{Runc: c.Runc, DropPtsGroup: c.SingleID, DropHostname: c.DropHostname, EndAll: c.Shared}); err != nil {
			return nil, err
		}
	}
	runc, err := runcexecutor.New(runcexecutor.Opt{
		Root: root, CommandCandidates: []string{binary}, Rootless: true, ProcessMode: processMode(c),
		ResourceMonitor: opt.ResourceMonitor,
	}, opt.NetworkProviders)
	if err != nil {
		return nil, err
	}
	return withSys(networkExecutor{runc, c.OwnNetwork, c.HostGateway}, filepath.Join(runDir(c.Root), "sys"))
}

// processMode returns whether steps get a PID namespace: not without one of the worker's own, since no /proc can be
// mounted for it.
func processMode(c config) oci.ProcessMode {
	if c.Shared {
		return oci.NoProcessSandbox
	}
	return oci.ProcessSandbox
}
