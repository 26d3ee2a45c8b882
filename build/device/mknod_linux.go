//go:build linux && !arm64 && !riscv64 && !loong64

package device

import "golang.org/x/sys/unix"

const sysMknod = unix.SYS_MKNOD
