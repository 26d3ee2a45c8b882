package worker

import (
	"os"
	"regexp"

	"golang.org/x/sys/unix"
)

// shortenRoot returns a path of the state directory that works for sockets and overlays. If the path does not, the
// directory is mounted at another one in this mount namespace: a socket's path is limited to 107 bytes, and colons
// and commas separate the options of an overlay.
func shortenRoot(c config) (string, error) {
	const longest = 56 // leaves enough for tmp/.buildkit-ssh-sock1234567890/ssh_auth_sock
	if len(c.Root) <= longest && plainPath().MatchString(c.Root) {
		return c.Root, nil
	}
	point := mountPoint(c.Shared)
	if point == "" {
		return c.Root, nil
	}
	if err := unix.Mount(c.Root, point, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return "", denied("giving the worker's state directory a short path", err)
	}
	return point, nil
}

func plainPath() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9/._+@=-]+$`) }

// mountPoint returns a directory that a worker's mount namespace does not need: each of these exists only as a mount
// point. Steps see a shared /proc and what is mounted in it. It returns "" if there is none.
func mountPoint(shared bool) string {
	points := []string{
		"/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/fuse/connections", "/sys/fs/bpf",
		"/sys/fs/pstore", "/dev/mqueue", "/dev/shm", "/mnt",
	}
	if !shared {
		points = append([]string{"/proc/fs/nfsd"}, points...) // every kernel's /proc has it
	}
	for _, path := range points {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
	}
	return ""
}
