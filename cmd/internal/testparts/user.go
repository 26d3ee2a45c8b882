package testparts

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// User is an unprivileged user with subordinate ids. If the test itself runs without privileges, it is the test's own
// user.
type User struct {
	Name string
	// Home is an empty directory that the user owns and can reach, unlike t.TempDir's. It is removed with the test.
	Home string

	ids *syscall.Credential // nil: the test's own user
}

// NewUser makes the user. A machine has only one at a time, so parallel tests wait for each other here.
func NewUser(t testing.TB) *User {
	t.Helper()
	Need(t, Unprivileged)
	if os.Geteuid() != 0 {
		return &User{Name: strconv.Itoa(os.Geteuid()), Home: newHome(t)}
	}
	ids := addUser(t) // before the home, so that the home is removed before the user
	u := &User{Name: testUser, Home: newHome(t), ids: ids}
	u.own(t, u.Home)
	return u
}

// Command returns a command that runs as the user, in Home, without the test's environment.
func (u *User) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = u.Home
	cmd.Env = []string{
		"HOME=" + u.Home, "USER=" + u.Name,
		"PATH=" + filepath.Join(u.Home, "bin") + ":/usr/local/bin:/usr/bin:/bin",
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.ids, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Give copies a file into a directory of the user's home and returns the copy's path: a program into "bin", QEMU into
// "emulators" of MTOOL_HOME. The user may not be able to reach the original.
func (u *User) Give(t testing.TB, file, dir string) (path string) {
	t.Helper()
	dir = filepath.Join(u.Home, dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	u.own(t, dir)
	path = filepath.Join(dir, filepath.Base(file))
	if err := copyProgram(path, file); err != nil {
		t.Fatalf("giving %q to %s: %v", file, u.Name, err)
	}
	return path
}

func (u *User) own(t testing.TB, path string) {
	t.Helper()
	if u.ids == nil {
		return
	}
	if err := os.Chown(path, int(u.ids.Uid), int(u.ids.Gid)); err != nil {
		t.Fatal(err)
	}
}

func copyProgram(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(dst, src); err != nil {
		_ = dst.Close()
		return err
	}
	return dst.Close()
}

// newHome makes a directory that every user may enter. Files of subordinate ids in it can only be deleted by root or in
// a user namespace that maps those ids.
func newHome(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mtool-home-") //nolint:usetesting // t.TempDir's is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.RemoveAll(dir) == nil {
			return
		}
		out, err := exec.Command("unshare", "--user", "--map-auto", "--map-root-user", "rm", "-rf", dir).CombinedOutput()
		if err != nil {
			t.Errorf("deleting %q: %v: %s", dir, err, out)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
