package emulator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// executes reports whether the kernel itself runs programs of arch, by running one. Nothing less tells: a kernel has the
// sysctls of its 32-bit half also where a boot option, the hypervisor or the processor keeps such programs from starting.
// The program names the file that the kernel started, which is not its own where an emulator of the host's binfmt_misc
// took it.
func executes(arch string) bool {
	program, err := inMemory(Teller(arch))
	if err != nil {
		return false
	}
	defer program.Close()
	own, err := os.Readlink(fdPath(program))
	if err != nil {
		return false
	}
	const patience = 30 * time.Second // for an emulator that hangs; the kernel takes a millisecond
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{program} // number 3 in the child, which may have something else behind the number here
	said, err := cmd.Output()
	return err == nil && string(said) == own
}

// inMemory opens an executable file that is on no file system, since each of them may be mounted noexec.
func inMemory(body []byte) (*os.File, error) {
	// A program that is open for writing does not start. Until it is closed here no child is made, which would have it too.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.MemfdCreate("program", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	written := os.NewFile(uintptr(fd), "program")
	defer written.Close() // running it tells whether it was written
	if _, err := written.Write(body); err != nil {
		return nil, err
	}
	return os.Open(fdPath(written))
}

// fdPath names an open file of this process.
func fdPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }
