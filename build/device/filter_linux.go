package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listen makes the kernel report to the returned descriptor each device that any thread of this process, or a program
// that it starts, asks for, and wait for the answer. Programs with another system call table, such as i386 on amd64,
// are still refused. See seccomp_unotify(2).
func listen() (listener int, err error) {
	arch := map[string]uint32{
		"386": unix.AUDIT_ARCH_I386, "amd64": unix.AUDIT_ARCH_X86_64, "arm": unix.AUDIT_ARCH_ARM,
		"arm64":   unix.AUDIT_ARCH_AARCH64,
		"ppc64le": unix.AUDIT_ARCH_PPC64LE, "riscv64": unix.AUDIT_ARCH_RISCV64, "s390x": unix.AUDIT_ARCH_S390X,
	}[runtime.GOARCH]
	if arch == 0 {
		return 0, errors.ErrUnsupported
	}
	program := filter(arch)
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER |
		unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
		unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	// A signal must not make a program repeat a call that was answered. Kernels before 5.19 lack the flag.
	for _, more := range []uintptr{unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0} {
		fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags|more, uintptr(unsafe.Pointer(&p))) //nolint:gosec // as the call demands
		if errno == 0 {
			return int(fd), nil
		}
		err = fmt.Errorf("filtering system calls: %w", errno)
	}
	return 0, err
}

// filter allows everything but the making of devices. It allows overlayfs's whiteouts too, as the kernel does.
func filter(arch uint32) []unix.SockFilter {
	const (
		number, architecture = 0, 4 // their offsets in struct seccomp_data
		load                 = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal                = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer               = unix.BPF_RET | unix.BPF_K
	)
	makes := func(call int, mode, device uint32) []unix.SockFilter {
		return []unix.SockFilter{
			{Code: equal, Jf: 8, K: uint32(call)},
			{Code: load, K: argument(mode)},
			{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: unix.S_IFMT},
			{Code: equal, Jt: 1, K: unix.S_IFCHR},
			{Code: equal, Jf: 3, K: unix.S_IFBLK},
			{Code: load, K: argument(device)},
			{Code: equal, Jt: 1, K: 0},
			{Code: answer, K: unix.SECCOMP_RET_USER_NOTIF},
			{Code: answer, K: unix.SECCOMP_RET_ALLOW},
		}
	}
	program := []unix.SockFilter{
		{Code: load, K: architecture},
		{Code: equal, Jt: 1, K: arch},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
		{Code: load, K: number},
	}
	program = append(program, makes(unix.SYS_MKNODAT, 2, 3)...)
	if sysMknod > 0 {
		program = append(program, makes(sysMknod, 1, 2)...)
	}
	return append(program, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW})
}

// argument returns the offset of the lower half of an argument in struct seccomp_data.
func argument(n uint32) uint32 {
	place := 16 + 8*n
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		place += 4
	}
	return place
}

// server answers for the kernel what listen has it report.
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
