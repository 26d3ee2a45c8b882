//go:build linux && (arm64 || riscv64 || loong64)

package device

// sysMknod is 0: these architectures have mknodat only.
const sysMknod = 0
