package snapshot

import (
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFlags neither follow a file that has become a link nor wait for one that has become a pipe.
const openFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK

func inodeOf(info fs.FileInfo) (i inode, links uint64) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}, 0
	}
	//nolint:unconvert // Dev and Nlink have 32 bits on some architectures
	return inode{Dev: uint64(s.Dev), Ino: s.Ino, Changed: s.Ctim.Nano()}, uint64(s.Nlink)
}

// keepsTime reports whether the kernel itself keeps f's time of change, in nanoseconds.
func keepsTime(f *os.File) bool {
	const bcachefs, zfs = 0xca451a4e, 0x2fc12fc1
	var s unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &s) != nil {
		return false
	}
	return slices.Contains([]int64{
		unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, bcachefs, zfs,
	}, int64(s.Type)) //nolint:unconvert // 32 bits on some architectures
}
