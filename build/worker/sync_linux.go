package worker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The databases of BuildKit and containerd wait for the disk at every change, a hundred times in a build that changes nothing.
// Here they do not: fdatasync(2) does nothing in the worker and in what it starts, and the end syncs each database once.
// That a process is killed harms nothing, since the kernel has what was written. When the machine goes down in between,
// the databases may be torn: a file that holds the boot's id tells, and the state, which is but a cache, begins anew.

// unsynced is that file, in the state directory.
const unsynced = "unsynced"

// bootID changes with every start of the kernel; "" is unknown. See random(4).
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// forgetTorn empties a state that was being changed when the machine went down.
func forgetTorn(root, boot string, note func(string)) error {
	b, err := os.ReadFile(filepath.Join(root, unsynced))
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(b) == boot {
		return nil
	}
	if err != nil {
		return err
	}
	note("forgetting the build cache in " + root + ": the machine went down during a build")
	if err := forget(root); err != nil {
		return err
	}
	return os.Remove(filepath.Join(root, unsynced)) // last: being killed before, this is done again
}

// deferSyncs makes fdatasync do nothing from now on. The function that it returns syncs what was written since.
func deferSyncs(root, boot string) (finish func() error, err error) {
	if boot == "" || !skipSyncs() {
		return func() error { return nil }, nil
	}
	mark := filepath.Join(root, unsynced)
	if err := os.WriteFile(mark, []byte(boot), 0o600); err != nil {
		return nil, err
	}
	if err := errors.Join(syncFile(mark), syncFile(root)); err != nil {
		return nil, err
	}
	return func() error {
		var errs []error
		for _, depth := range []string{"*.db", "runc-*/*.db", "runc-*/*/*.db"} {
			databases, err := filepath.Glob(filepath.Join(root, depth))
			errs = append(errs, err)
			for _, path := range databases {
				errs = append(errs, syncFile(path))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return err // the mark stays
		}
		return os.Remove(mark)
	}, nil
}

// syncFile is fsync, of a directory too.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// skipSyncs tells the kernel to answer fdatasync with success, for all threads of this process and its children; false
// where the kernel does not. Programs of another system call table, such as i386 on amd64, are not meant. See seccomp(2).
func skipSyncs() bool {
	arch := map[string]uint32{
		"386": unix.AUDIT_ARCH_I386, "amd64": unix.AUDIT_ARCH_X86_64, "arm": unix.AUDIT_ARCH_ARM, "arm64": unix.AUDIT_ARCH_AARCH64,
		"ppc64le": unix.AUDIT_ARCH_PPC64LE, "riscv64": unix.AUDIT_ARCH_RISCV64, "s390x": unix.AUDIT_ARCH_S390X,
	}[runtime.GOARCH]
	if arch == 0 {
		return false
	}
	const (
		number, architecture = 0, 4 // their places in struct seccomp_data
		load                 = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal                = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer               = unix.BPF_RET | unix.BPF_K
	)
	program := []unix.SockFilter{
		{Code: load, K: architecture},
		{Code: equal, Jf: 3, K: arch},
		{Code: load, K: number},
		{Code: equal, Jf: 1, K: unix.SYS_FDATASYNC},
		{Code: answer, K: unix.SECCOMP_RET_ERRNO}, // error number 0
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&p))) //nolint:gosec // as the call demands
	return thread == 0 && errno == 0
}
