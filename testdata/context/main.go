// Command app is what the demo's image holds: it says what it was compiled for and what machine it finds itself on.
//
// With --self-test it fails unless it was compiled for the architecture that TARGETARCH names, as it does in a RUN step
// of BuildKit. That it runs at all proves the rest.
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

// machine is the kernel's name for the machine. QEMU's user mode answers for the one it plays.
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
