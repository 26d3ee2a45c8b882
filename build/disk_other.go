//go:build !linux

package build

// diskSize returns false: this system has no embedded worker, so no cache of its own.
func diskSize(string) (size int64, ok bool) { return 0, false }
