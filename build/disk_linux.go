package build

import "golang.org/x/sys/unix"

// diskSize returns the size of the file system of dir in bytes.
func diskSize(dir string) (size int64, ok bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, false
	}
	return int64(fs.Blocks) * int64(fs.Bsize), true
}
