package device

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Serve makes a file for each device that this process, or a program that it starts from now on, asks for in a future
// layer: on an overlay, or on the file system of dir. Elsewhere the kernel still refuses it. After an error the kernel
// refuses all.
//
// The program that asks is root of this user namespace, and believes that it may make devices in it.
func Serve(dir string) error {
	var at unix.Stat_t
	if err := unix.Stat(dir, &at); err != nil {
		return fmt.Errorf("looking at %q: %w", dir, err)
	}
	var own unix.Stat_t
	if err := unix.Stat("/proc/self/ns/user", &own); err != nil {
		return fmt.Errorf("looking at this user namespace: %w", err)
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	s := server{listener: listener, disk: uint64(at.Dev), namespace: own.Ino} //nolint:unconvert // 32 bits on mips64le
	go s.serve()
	return nil
}

// serve ends with the process, or when the kernel sends nothing more: calls fail with ENOSYS then.
func (s server) serve() {
	defer unix.Close(s.listener) //nolint:errcheck // no caller is left to report to
	for {
		var r request
		switch err := ioctl(s.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&r)); { //nolint:gosec // as the call demands
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOENT): // the asking thread is gone
			continue
		case err != nil:
			return
		}
		a := answer{ID: r.ID}
		if errno := s.make(r); errno == refused {
			a.Flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		} else {
			a.Error = -int32(errno)
		}
		_ = ioctl(s.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a)) //nolint:gosec // as the call demands; the thread may be gone
	}
}

// refused leaves the answer to the kernel, which refuses devices in a user namespace.
const refused = unix.Errno(math.MaxInt32)

// make makes the file that a thread asked for, as the kernel would have made a device; 0 is success.
func (s server) make(r request) unix.Errno {
	a := arguments{dir: unix.AT_FDCWD, name: r.Args[0], mode: uint32(r.Args[1]), device: uint32(r.Args[2])}
	if r.Number == unix.SYS_MKNODAT {
		a = arguments{dir: int32(r.Args[0]), name: r.Args[1], mode: uint32(r.Args[2]), device: uint32(r.Args[3])}
	}
	t, err := openTask(r.Thread)
	if err != nil {
		return refused
	}
	defer t.close()
	if !s.valid(r) || !t.mayMake(s.namespace) {
		return refused
	}
	name, err := t.text(a.name)
	if err != nil {
		return errno(err)
	}
	parent, base, err := t.parent(int(a.dir), name)
	if err != nil {
		return errno(err)
	}
	defer unix.Close(parent) //nolint:errcheck // a path only
	if !s.holdsLayers(parent) {
		return refused
	}
	return errno(t.create(parent, base, a))
}

// arguments are those of mknodat(2).
type arguments struct {
	dir          int32
	name         uint64
	mode, device uint32
}

// stands returns the requested device.
func (a arguments) stands() Device {
	return Device{
		Block: a.mode&unix.S_IFMT == unix.S_IFBLK,
		Major: a.device >> 8 & 0xfff, Minor: a.device&0xff | a.device>>12&0xfff00, // new_decode_dev of the kernel
	}
}

// holdsLayers reports whether a directory becomes part of a layer: not a tmpfs of a step, such as its /dev, nor any
// other file system.
func (s server) holdsLayers(dir int) bool {
	var fs unix.Statfs_t
	var at unix.Stat_t
	if unix.Fstatfs(dir, &fs) != nil || unix.Fstat(dir, &at) != nil {
		return false
	}
	return fs.Type == unix.OVERLAYFS_SUPER_MAGIC || uint64(at.Dev) == s.disk //nolint:unconvert // 32 bits on mips64le
}

// create makes the file in the directory parent.
func (t task) create(parent int, base string, a arguments) error {
	const flags = unix.O_CREAT | unix.O_EXCL | unix.O_WRONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	f, err := unix.Openat(parent, base, flags, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(f) //nolint:errcheck // nothing was written
	err = unix.Fsetxattr(f, Attribute, []byte(a.stands().String()), 0)
	if err == nil && t.group != 0 && !setsGroup(parent) {
		err = unix.Fchown(f, -1, t.group)
	}
	if err == nil {
		err = unix.Fchmod(f, a.mode&0o7777&^t.umask)
	}
	if err != nil {
		return errors.Join(unix.EPERM, err, unix.Unlinkat(parent, base, 0))
	}
	return nil
}

// setsGroup reports whether new files in a directory get its group.
func setsGroup(dir int) bool {
	var s unix.Stat_t
	return unix.Fstat(dir, &s) == nil && s.Mode&unix.S_ISGID != 0
}

// errno returns the first error number in err.
func errno(err error) unix.Errno {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[unix.Errno](err); ok {
		return e
	}
	return unix.EPERM
}

// From returns the device that the file at path stands for; false: it is an ordinary file.
func From(path string) (Device, bool) {
	var value [32]byte // longer than any
	n, err := unix.Lgetxattr(path, Attribute, value[:])
	if err != nil {
		return Device{}, false
	}
	return Parse(string(value[:n]))
}
