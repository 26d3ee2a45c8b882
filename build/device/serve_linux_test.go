package device_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"mtool/build/device"
)

const stageEnv = "TEST_DEVICE_STAGE"

func TestMain(m *testing.M) {
	switch stage, dir, _ := strings.Cut(os.Getenv(stageEnv), ":"); stage {
	case "":
		os.Exit(m.Run())
	case "serve":
		fmt.Print(served(dir))
	default:
		fmt.Print(unix.Mknod(stage, unix.S_IFCHR|0o640, int(unix.Mkdev(1, 3))))
	}
}

// inside returns a command that runs this test binary with another stage.
func inside(stage string, attr *syscall.SysProcAttr) *exec.Cmd {
	c := exec.Command("/proc/self/exe")
	c.Env, c.SysProcAttr, c.Stderr = append(os.Environ(), stageEnv+"="+stage), attr, os.Stderr
	return c
}

// inRoot makes a device in a thread that has another root directory. The thread ends with the goroutine.
func inRoot(root, path string) error {
	made := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_FS)
		if err == nil {
			err = unix.Chroot(root)
		}
		if err == nil {
			err = unix.Mknod(path, unix.S_IFCHR|0o640, int(unix.Mkdev(1, 3)))
		}
		made <- err
	}()
	return <-made
}

// TestServe makes devices in a user namespace, where the kernel refuses to.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if unix.Setxattr(dir, "user.test", []byte("y"), 0) != nil {
		t.Skip("no extended attributes here")
	}
	c := inside("serve:"+dir, &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	})
	out, err := c.Output()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.HasPrefix(string(out), "unable: ") {
		t.Skipf("no user namespace or no seccomp filter: %v %s", err, out)
	}
	if err != nil || string(out) != "ok" {
		t.Errorf("%v: %s", err, out)
	}
	for _, name := range []string{"c", "other", "root"} {
		info, err := os.Lstat(filepath.Join(dir, "in", name))
		if err != nil || !info.Mode().IsRegular() {
			t.Errorf("%q: %v %v: a real device was made", name, info, err)
		}
	}
}

// served makes devices in dir and returns "ok", or what went wrong.
func served(dir string) string {
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		return err.Error()
	}
	if err := os.Symlink("/in", filepath.Join(dir, "link")); err != nil {
		return err.Error()
	}
	if err := device.Serve(dir); err != nil {
		return "unable: " + err.Error()
	}
	unix.Umask(0o027)
	var wrong []string
	for _, c := range []struct {
		path  string
		mode  uint32
		major uint32
		minor uint32
		err   error
		value string
		perm  os.FileMode
	}{
		{path: "in/c", mode: unix.S_IFCHR | 0o666, major: 1, minor: 3, value: "c 1:3", perm: 0o640},
		{path: "in/b", mode: unix.S_IFBLK | 0o600, major: 259, minor: 70000, value: "b 259:70000", perm: 0o600},
		{path: "in/c", mode: unix.S_IFCHR | 0o666, major: 1, minor: 5, err: unix.EEXIST, value: "c 1:3", perm: 0o640},
		{path: "in/../in/up", mode: unix.S_IFCHR | 0o600, major: 1, minor: 5, value: "c 1:5", perm: 0o600},
		{path: "none/c", mode: unix.S_IFCHR, major: 1, err: unix.ENOENT},
		{path: "in/c/c", mode: unix.S_IFCHR, major: 1, err: unix.ENOTDIR},
		{path: "", mode: unix.S_IFCHR, major: 1, err: unix.ENOENT},
		{path: ".", mode: unix.S_IFCHR, major: 1, err: unix.EEXIST},
		{path: "in/fifo", mode: unix.S_IFIFO | 0o600, major: 1, minor: 3},
		{path: "/dev/mtool-test", mode: unix.S_IFCHR, major: 1, minor: 3, err: unix.EPERM}, // not the file system of layers
	} {
		if err := os.Chdir(dir); err != nil {
			return err.Error()
		}
		err := unix.Mknod(c.path, c.mode, int(unix.Mkdev(c.major, c.minor)))
		if c.err == nil && err != nil || !errors.Is(err, c.err) {
			wrong = append(wrong, fmt.Sprintf("%q: %v, not %v", c.path, err, c.err))
		}
		if d, ok := device.From(c.path); ok != (c.value != "") || ok && d.String() != c.value {
			wrong = append(wrong, fmt.Sprintf("%q is %v %t, not %q", c.path, d, ok, c.value))
		}
		if info, err := os.Lstat(c.path); c.value != "" && (err != nil || info.Mode() != c.perm) {
			wrong = append(wrong, fmt.Sprintf("%q: %v, %v", c.path, info.Mode(), err))
		}
	}
	// Other processes: one with another root directory, one that is not root in this namespace.
	for name, c := range map[string]struct {
		attr *syscall.SysProcAttr
		path string
		want string
	}{
		"another process": {nil, filepath.Join(dir, "in/other"), "<nil>"},
		"one without the right": {
			&syscall.SysProcAttr{
				Cloneflags: syscall.CLONE_NEWUSER, UidMappings: []syscall.SysProcIDMap{{Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{Size: 1}},
			},
			filepath.Join(dir, "in/nested"), "operation not permitted",
		},
	} {
		if out, err := inside(c.path, c.attr).Output(); err != nil || string(out) != c.want {
			wrong = append(wrong, fmt.Sprintf("%s: %s, %v", name, out, err))
		}
	}
	if err := inRoot(dir, "/link/root"); err != nil {
		wrong = append(wrong, "with another root, through a link: "+err.Error())
	}
	if d, ok := device.From(filepath.Join(dir, "in/root")); !ok || d.String() != "c 1:3" {
		wrong = append(wrong, "with another root, no device was made")
	}
	if len(wrong) > 0 {
		return strings.Join(wrong, "\n")
	}
	return "ok"
}
