package testparts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

const (
	// testUser is made for a test and deleted after it. Its comment in /etc/passwd distinguishes it from a real user.
	testUser    = "mtool-test"
	testComment = "made by the tests of mtool"
	userTimeout = 2 * time.Hour // several tests take turns, each for minutes
)

// addUser makes testUser, or reuses one that a killed test left, and deletes it when the test ends.
func addUser(t testing.TB) *syscall.Credential {
	t.Helper()
	lockUser(t)
	if old, err := user.Lookup(testUser); err == nil && old.Name != testComment {
		t.Fatalf("user %q (%q) exists, but these tests did not make it", testUser, old.Name)
	} else if err != nil {
		admin(t, "useradd", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "--comment",
			testComment, testUser)
	}
	t.Cleanup(func() { deleteUser(t) })
	for file, flag := range map[string]string{"/etc/subuid": "--add-subuids", "/etc/subgid": "--add-subgids"} {
		// useradd adds ranges itself if /etc/login.defs says so.
		table, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if first, has := freeRange(table, testUser); !has {
			admin(t, "usermod", flag, fmt.Sprintf("%d-%d", first, first+65535), testUser)
		}
	}
	u, err := user.Lookup(testUser)
	if err != nil {
		t.Fatal(err)
	}
	return credential(t, u)
}

// freeRange returns the first id above all ranges of a subuid(5) table, and whether a user, by name or number, has a
// range.
func freeRange(table []byte, user ...string) (first int, has bool) {
	first = 100_000
	for line := range bytes.Lines(table) {
		f := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(f) != 3 {
			continue
		}
		start, _ := strconv.Atoi(f[1])
		count, _ := strconv.Atoi(f[2])
		first = max(first, start+count)
		has = has || slices.Contains(user, f[0])
	}
	return first, has
}

func credential(t testing.TB, u *user.User) *syscall.Credential {
	t.Helper()
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		t.Fatalf("user %q has uid %q, gid %q", u.Username, u.Uid, u.Gid)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// deleteUser fails the test if processes of the user are left: nothing may outlive a test's commands.
func deleteUser(t testing.TB) {
	var out []byte
	var err error
	for range 600 { // killed processes need a moment to end
		if out, err = exec.Command(Program(t, "userdel"), testUser).CombinedOutput(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("deleting the user: %v: %s", err, out)
}

// lockUser waits until no other test uses the user. It locks the program useradd, so that it leaves no lock file.
func lockUser(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), userTimeout)
	defer cancel()
	lock := flock.New(Program(t, "useradd"), flock.SetFlag(os.O_RDONLY))
	if ok, err := lock.TryLockContext(ctx, 100*time.Millisecond); !ok {
		t.Fatalf("waiting for other tests to be done with user %q: %v", testUser, err)
	}
	t.Cleanup(func() { _ = lock.Close() })
}

func admin(t testing.TB, program string, args ...string) {
	t.Helper()
	if out, err := exec.Command(Program(t, program), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
}
