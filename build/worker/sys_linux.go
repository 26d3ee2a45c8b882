//go:build !mips64le

package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/moby/buildkit/executor"
	resources "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/snapshot"
	"github.com/moby/sys/mountinfo"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// sysExecutor gives steps the machine's /sys to read, which BuildKit leaves out in a user namespace: no new one can be
// mounted for the host's network.
type sysExecutor struct {
	executor.Executor
	dir string // where a copy of /sys is mounted
}

// withSys mounts a copy of /sys at dir, without the file systems mounted in it, such as control groups and debugfs. A
// machine that has none, or forbids this, gives its steps none.
func withSys(e executor.Executor, dir string) (executor.Executor, error) {
	if mounted, err := mountinfo.Mounted("/sys"); err != nil || !mounted {
		return e, nil //nolint:nilerr // see above
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	// A mount of another user namespace can only be copied together with those in it.
	if err := unix.Mount("/sys", dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return e, nil //nolint:nilerr // see above
	}
	err := hideMounts(dir)
	if err == nil {
		readOnly := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
		err = unix.MountSetattr(unix.AT_FDCWD, dir, unix.AT_RECURSIVE, readOnly)
	}
	if err != nil {
		return e, errors.Join(fmt.Errorf("making /sys read-only for steps: %w", err), unix.Unmount(dir, unix.MNT_DETACH))
	}
	return sysExecutor{e, dir}, nil
}

// hideMounts mounts an empty directory over each file system in dir.
func hideMounts(dir string) error {
	inside, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return !strings.HasPrefix(m.Mountpoint, dir+"/"), false
	})
	if err != nil {
		return err
	}
	for _, m := range inside {
		info, err := os.Stat(m.Mountpoint)
		if errors.Is(err, os.ErrNotExist) { // another one is hidden with what it is in
			continue
		}
		if err != nil || !info.IsDir() {
			return fmt.Errorf("hiding %q: %w", m.Mountpoint, errors.Join(err, errors.ErrUnsupported))
		}
		if err := unix.Mount("none", m.Mountpoint, "tmpfs", 0, "size=0,mode=0555"); err != nil {
			return fmt.Errorf("hiding %q: %w", m.Mountpoint, err)
		}
	}
	return nil
}

// Run adds /sys to the mounts of a step.
//
//nolint:revive // executor.Executor has six arguments
func (e sysExecutor) Run(
	ctx context.Context, id string, root executor.Mount, mounts []executor.Mount, process executor.ProcessInfo,
	started chan<- struct{},
) (resources.Recorder, error) {
	if err := makeMountPoint(ctx, root); err != nil {
		return nil, fmt.Errorf("making /sys: %w", err)
	}
	// In a user namespace BuildKit drops every mount whose path begins with "/sys".
	sys := executor.Mount{Src: bound(e.dir), Dest: "//sys", Readonly: true}
	return e.Executor.Run(ctx, id, root, append([]executor.Mount{sys}, mounts...), process, started)
}

// makeMountPoint makes the directory /sys in a step's file system, which other workers leave there. BuildKit would
// remove the one that it makes itself for an added mount.
func makeMountPoint(ctx context.Context, root executor.Mount) error {
	if root.Readonly {
		return nil
	}
	ref, err := root.Src.Mount(ctx, false)
	if err != nil {
		return err
	}
	mounter := snapshot.LocalMounter(ref)
	dir, err := mounter.Mount()
	if err != nil {
		return err
	}
	return errors.Join(executor.CreateMountStubs(dir, []string{"/sys"}, 0, 0), mounter.Unmount())
}

// bound is a directory or a file that is mounted as it is, a directory with what is mounted in it.
type bound string

// Mount implements executor.Mountable.
func (b bound) Mount(_ context.Context, readOnly bool) (executor.MountableRef, error) {
	return boundRef{string(b), readOnly}, nil
}

type boundRef struct {
	path     string
	readOnly bool
}

// Mount implements executor.MountableRef.
func (b boundRef) Mount() ([]mount.Mount, func() error, error) {
	options := []string{"rbind"}
	if b.readOnly {
		options = append(options, "ro")
	}
	return []mount.Mount{{Type: "bind", Source: b.path, Options: options}}, func() error { return nil }, nil
}

// IdentityMapping implements executor.MountableRef.
func (boundRef) IdentityMapping() *user.IdentityMapping { return nil }
