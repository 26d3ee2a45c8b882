// Command app is the program of the demo's image. It prints the platform that it was compiled for, and the machine that
// it runs on.
//
// With --self-test it fails unless it was compiled for the architecture in TARGETARCH, which BuildKit sets in RUN
// steps.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}

func run() error {
	machine, err := machine()
	if err != nil {
		return err
	}
	fmt.Printf("compiled for %s/%s, running on %s\n", runtime.GOOS, runtime.GOARCH, machine)
	if len(os.Args) < 2 || os.Args[1] != "--self-test" {
		return nil
	}
	if want := os.Getenv("TARGETARCH"); want != runtime.GOARCH {
		return fmt.Errorf("the build's target is %q", want)
	}
	return nil
}

// machine returns the kernel's name for the machine. QEMU's user mode returns the emulated one.
func machine() (string, error) {
	var u syscall.Utsname
	if err := syscall.Uname(&u); err != nil {
		return "", fmt.Errorf("asking uname: %w", err)
	}
	return text(u.Machine[:]), nil
}

// text reads a C string, whose bytes are signed on some architectures.
func text[B int8 | uint8](c []B) string {
	var s strings.Builder
	for _, b := range c {
		if b == 0 {
			break
		}
		s.WriteByte(byte(b))
	}
	return s.String()
}
