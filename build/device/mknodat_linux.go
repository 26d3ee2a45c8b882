//go:build linux && (arm64 || riscv64 || loong64)

package device

// sysMknod is 0: there is mknodat only.
const sysMknod = 0
