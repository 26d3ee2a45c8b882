package device

import (
	"errors"
	"fmt"
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
	s := server{listener: listener, disk: at.Dev, namespace: own.Ino}
	go s.serve()
	return nil
}

// server answers for the kernel.
type server struct {
	listener  int
	disk      uint64 // the device of the file system that holds layers
	namespace uint64 // the inode of this user namespace
}

// request is struct seccomp_notif.
type request struct {
	ID     uint64
	Thread uint32
	_      uint32
	Number int32
	_      uint32
	_      uint64
	Args   [6]uint64
}

// answer is struct seccomp_notif_resp.
type answer struct {
	ID    uint64
	_     int64
	Error int32
	Flags uint32
}

// serve ends with the process, or when the kernel sends nothing more: calls fail with ENOSYS then.
func (s server) serve() {
	defer unix.Close(s.listener) //nolint:errcheck // there is nobody to report to
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
		_ = ioctl(s.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a)) //nolint:gosec // as the call demands; whoever asked may be gone
	}
}

// valid reports whether the thread of a request still waits, so that its number is not another's now.
func (s server) valid(r request) bool {
	return ioctl(s.listener, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&r.ID)) == nil //nolint:gosec // as the call demands
}

func ioctl(fd int, code uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), code, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}
