//go:build !mips64le

package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"mtool/build/advice"
	"mtool/build/emulator"
)

// enter prepares this process's new namespaces for a worker.
func enter(c config) error {
	host := emulator.ReadEntries(emulator.Dir) // the new /proc hides it
	if err := remount(c.Shared); err != nil {
		return err
	}
	if err := registerEmulators(c, host); err != nil {
		return err
	}
	if c.Shared {
		return shieldProc()
	}
	return nil
}

// remount detaches this namespace's mounts from the host's, and mounts its own /proc unless that is shared.
func remount(shared bool) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return denied("making the mounts of the worker's namespace its own", err)
	}
	if !shared {
		if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			f := denied("mounting the worker's /proc", err)
			f.Masked = errors.Is(err, unix.EPERM)
			return f
		}
	}
	// runc creates control groups if it can, and if killed leaves them on the host.
	readOnly := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	err := unix.MountSetattr(unix.AT_FDCWD, "/sys/fs/cgroup", unix.AT_RECURSIVE, readOnly)
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) { // EINVAL: not a mount point
		return denied("making control groups read-only for the worker", err)
	}
	return nil
}

// shieldProc makes those parts of a shared /proc read-only that change the machine: to the kernel, root's steps are
// the machine's root there.
func shieldProc() error {
	readOnly := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	for _, path := range []string{
		"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/scsi",
		"/proc/acpi",
	} {
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		if err := unix.Mount(path, path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return denied("shielding "+path, err)
		}
		if err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, readOnly); err != nil {
			return denied("shielding "+path, err)
		}
	}
	return nil
}

// maySetHostname tries to set the current name, in a UTS namespace of this thread alone.
func maySetHostname() bool {
	name, err := os.Hostname()
	if err != nil || unix.Unshare(unix.CLONE_NEWUTS) != nil {
		return true // a step will say what is wrong
	}
	return unix.Sethostname([]byte(name)) == nil
}

// registerEmulators fills this user namespace's own binfmt_misc, which Linux has since 6.7. Older kernels use the
// host's entries. https://github.com/torvalds/linux/commit/21ca59b365c0
func registerEmulators(c config, host []emulator.Entry) error {
	if len(c.Emulators) == 0 {
		return nil
	}
	if c.HostEntries || withoutBinary(c) != "" { // mounting a private one would hide the host's
		return hostMustDo(c, host, errors.ErrUnsupported)
	}
	if err := unix.Mount("binfmt_misc", emulator.Dir, "binfmt_misc", 0, ""); err != nil {
		return hostMustDo(c, host, err)
	}
	for _, e := range c.Emulators {
		line, err := e.Line()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(emulator.Dir, "register"), []byte(line), 0); err != nil {
			return denied(fmt.Sprintf("registering emulator %q", e.Path), err)
		}
	}
	return nil
}

// withoutBinary returns the first emulator that only the host's entries have; "" if there is none.
func withoutBinary(c config) string {
	for _, e := range c.Emulators {
		if e.Path == "" {
			return e.Name
		}
	}
	return ""
}

func hostMustDo(c config, host []emulator.Entry, mountErr error) error {
	for _, e := range c.Emulators {
		if _, ok := emulator.Serving(host, e.Emulator); ok {
			continue
		}
		f := &failure{
			Doing: "registering emulator qemu-" + e.Name,
			Why: fmt.Sprintf(
				"this kernel has no binfmt_misc of a user namespace's own (Linux 6.7 and later have: %v), and the host's has no enabled entry for %s with the flag F",
				mountErr, e.Arch),
			Advice: advice.Say("use a newer kernel").Or(advice.HostEmulator, e.Arch),
		}
		if other := withoutBinary(c); other != "" {
			f.Why = fmt.Sprintf(
				"there is no static binary of qemu-%s, only the host's own entry for it, and with the host's entries %s can't be run: they have none with the flag F", other, e.Arch)
			f.Advice = advice.Say("install the package qemu-user-static")
		}
		return f
	}
	return nil
}

func denied(doing string, err error) *failure {
	return &failure{Doing: doing, Why: err.Error(), Denied: errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)}
}

func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{Doing: "opening the worker", Why: err.Error(), Denied: errors.Is(err, fs.ErrPermission)}
}
