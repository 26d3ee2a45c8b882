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

// executes reports whether the kernel itself runs programs of arch, by running one. Nothing else is reliable: a kernel
// has the sysctls of its 32-bit half even where a boot option, the hypervisor or the processor refuses such programs.
// The program prints the file that the kernel started, which is another one when an emulator in the host's binfmt_misc
// runs it.
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
	cmd.ExtraFiles = []*os.File{program} // number 3 in the child, where the number used here may be something else
	said, err := cmd.Output()
	return err == nil && string(said) == own
}

// inMemory opens an executable file that is on no file system, since any of them may be mounted noexec.
func inMemory(body []byte) (*os.File, error) {
	// A program that is open for writing does not start. Until it is closed here no child may be started, which would
	// have it open too.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.MemfdCreate("program", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	written := os.NewFile(uintptr(fd), "program")
	defer written.Close() // running it shows whether it was written
	if _, err := written.Write(body); err != nil {
		return nil, err
	}
	return os.Open(fdPath(written))
}

// fdPath returns the path of an open file of this process.
func fdPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }
