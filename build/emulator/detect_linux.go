package emulator

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// runs386 asks for the sysctl that only kernels with 32-bit emulation have.
func runs386() bool {
	_, err := os.Stat("/proc/sys/abi/vsyscall32")
	return err == nil
}

// runsAArch32 asks an arm64 kernel for the 32-bit personality: it refuses when the processor has no AArch32 state for
// programs, which is optional since ARMv8.
func runsAArch32() bool {
	const perLinux32, query = 0x8, 0xffffffff
	done := make(chan bool)
	go func() {
		runtime.LockOSThread() // a personality is the thread's; this one ends with the goroutine
		_, _, refused := unix.Syscall(unix.SYS_PERSONALITY, perLinux32, 0, 0)
		now, _, _ := unix.Syscall(unix.SYS_PERSONALITY, query, 0, 0)
		done <- refused == 0 && now&0xff == perLinux32
	}()
	return <-done
}
