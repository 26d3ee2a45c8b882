package device

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// task is a thread that asked for a device and waits. Its root and mounts may differ from this process's.
type task struct {
	proc  int // its directory in /proc, which stays its own
	user  int // the owner of the files that it makes
	group int // and their group
	umask uint32
	caps  uint64
}

func openTask(thread uint32) (t task, err error) {
	if t.proc, err = unix.Open(fmt.Sprintf("/proc/%d", thread), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC,
		0); err != nil {
		return t, err
	}
	status, err := t.open("status")
	if err == nil {
		err = t.read(status)
	}
	if err != nil {
		t.close()
	}
	return t, err
}

func (t task) close() { _ = unix.Close(t.proc) } // a path only

func (t task) open(name string) (*os.File, error) {
	fd, err := unix.Openat(t.proc, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// read reads what is needed of proc_pid_status(5).
func (t *task) read(status *os.File) error {
	defer status.Close()
	b, err := io.ReadAll(status)
	if err != nil {
		return err
	}
	const base, fsID = 0, 3 // "0022" is octal; Uid and Gid: real, effective, saved, file system
	found := 0
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		words := strings.Fields(value)
		var n uint64
		switch {
		case name == "Uid" && len(words) > fsID:
			t.user, err = strconv.Atoi(words[fsID])
		case name == "Gid" && len(words) > fsID:
			t.group, err = strconv.Atoi(words[fsID])
		case name == "Umask" && len(words) == 1:
			n, err = strconv.ParseUint(words[0], base, 32)
			t.umask = uint32(n)
		case name == "CapEff" && len(words) == 1:
			t.caps, err = strconv.ParseUint(words[0], 16, 64)
		default:
			continue
		}
		if err != nil {
			return err
		}
		found++
	}
	if found != 4 {
		return fmt.Errorf("%q is incomplete", status.Name())
	}
	return nil
}

// mayMake reports whether the thread is root of this user namespace, with the capabilities that root needs to make a
// device.
func (t task) mayMake(namespace uint64) bool {
	const needed = 1<<unix.CAP_MKNOD | 1<<unix.CAP_DAC_OVERRIDE
	var s unix.Stat_t
	return t.user == 0 && t.caps&needed == needed && unix.Fstatat(t.proc, "ns/user", &s, 0) == nil && s.Ino == namespace
}

// text returns the string at an address of the thread's memory.
func (t task) text(address uint64) (string, error) {
	mem, err := t.open("mem")
	if err != nil {
		return "", err
	}
	defer mem.Close()
	b := make([]byte, unix.PathMax)
	n, err := mem.ReadAt(b, int64(address)) // user space ends far below
	end := bytes.IndexByte(b[:n], 0)
	switch {
	case end >= 0:
		return string(b[:end]), nil
	case n == len(b):
		return "", unix.ENAMETOOLONG
	}
	return "", fmt.Errorf("%w: %w", unix.EFAULT, err)
}

// parent opens, as a path only, the directory in which the thread names base, through links and mounts as the thread
// sees them.
func (t task) parent(dir int, name string) (fd int, base string, err error) {
	in, base, err := split(name)
	if err != nil {
		return 0, "", err
	}
	if !strings.HasPrefix(name, "/") {
		at, err := t.where(dir)
		if err != nil {
			return 0, "", err
		}
		in = at + "/" + in
	}
	root, err := unix.Openat(t.proc, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, "", err
	}
	defer unix.Close(root) //nolint:errcheck // a place only
	fd, err = unix.Openat2(root, in, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	return fd, base, err
}

// split returns the directory and the name in it. The error is the kernel's for such a path.
func split(name string) (dir, base string, err error) {
	dir, base = path.Split(name)
	switch {
	case strings.Trim(name, "/") != "" && base == "", name == "":
		return "", "", unix.ENOENT
	case base == "", base == ".", base == "..":
		return "", "", unix.EEXIST
	}
	return dir, base, nil
}

// where returns the path of a directory of the thread below its root.
func (t task) where(dir int) (string, error) {
	link := "cwd"
	if dir != unix.AT_FDCWD {
		link = fmt.Sprintf("fd/%d", dir)
	}
	at, err := t.readLink(link)
	if err != nil {
		return "", err
	}
	root, err := t.readLink("root")
	if err != nil {
		return "", err
	}
	if root == "/" {
		return at, nil
	}
	below, ok := strings.CutPrefix(at+"/", root+"/")
	if !ok {
		return "", unix.EPERM // it left its root
	}
	return "/" + below, nil
}

func (t task) readLink(name string) (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(t.proc, name, b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}
