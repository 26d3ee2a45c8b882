package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
)

// diskVariable is the environment variable with the folder for the small disks. The test starts itself with it in a new
// mount namespace.
const diskVariable = "MTOOL_TEST_DISK"

// TestFullDisk runs commands that write on disks of every size from too small to large enough (`make test`: some
// sizes). A full disk is an error with code 1 that says so. Nothing is lost, and no file is left behind. With more
// space the same command succeeds. Then the disk becomes read-only.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(diskVariable); dir != "" {
		fillDisks(t, dir)
		return
	}
	ok, err := scriptCondition("userns")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Skip("no user namespaces")
	}
	dir := t.TempDir()
	faults.WriteArchive(t, filepath.Join(dir, "small.tar"), faults.Image(t, "linux/amd64"))
	faults.WriteArchive(t, filepath.Join(dir, "big.tar"), faults.PaddedImage(t, 300_000))
	if err := os.Mkdir(filepath.Join(dir, "disk"), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--user", "--map-root-user", "--mount", self,
		"-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), diskVariable+"="+dir, "MTOOL_TEST_SEED="+strconv.FormatUint(faults.Seed(t), 10))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "sizes of a disk") {
		t.Errorf("%v\n%s", err, out)
	}
}

// fillDisks is the part of TestFullDisk that runs in the mount namespace.
func fillDisks(t *testing.T, dir string) {
	disk := filepath.Join(dir, "disk")
	t.Setenv("MTOOL_HOME", filepath.Join(disk, "home"))
	t.Setenv("DOCKER_CONFIG", dir)
	lines := []string{
		"load " + dir + "/small.tar -t small:v1",
		"create demo:v1 store:small:v1",
		"annotate demo:v1 --annotation a=" + strings.Repeat("b", 5000),
		"load " + dir + "/big.tar -t big:v1",
		"copy store:small:v1 oci:" + disk + "/layout:v1",
		"save store:small:v1 -o " + disk + "/out.tar",
	}
	step := 37
	if faults.Full() {
		step = 1
	}
	sizes, filled := 0, 0
	for pages := 1 + int(faults.Seed(t)%uint64(step)); pages < 300; pages += step {
		sizes++
		filled += fillDisk(t, disk, lines, pages*4096)
		if t.Failed() {
			t.Fatalf("on a disk of %d pages", pages)
		}
	}
	t.Logf("%d sizes of a disk, %d commands found it full", sizes, filled)
	if filled == 0 {
		t.Error("no disk was full")
	}
}

func fillDisk(t *testing.T, disk string, lines []string, size int) (filled int) {
	mount := func(flags uintptr, size int) {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", flags, "size="+strconv.Itoa(size)); err != nil {
			t.Fatal(err)
		}
	}
	mount(0, size)
	defer func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) }()
	done := map[string]bool{}
	try := func(line, message string) bool {
		code, _, stderr := faults.Run(t.Context(), "", strings.Fields(line)...)
		switch {
		case code == 0:
			done[line] = true
			return true
		case code == 4 && (strings.Contains(line, "store:small:v1") && !done[lines[0]] ||
			strings.HasPrefix(line, "annotate") && !done[lines[1]]):
			return false // its source did not fit
		case code != 1 || !strings.Contains(stderr, message) || !strings.Contains(stderr, disk):
			t.Errorf("%d bytes: mtool %.60s: code %d, want 1 with %q and %s: %s", size, line, code, message, disk, stderr)
		}
		filled++
		return false
	}
	for _, line := range lines {
		try(line, "no space left on device")
		intactDisk(t, disk, done, lines)
	}
	mount(syscall.MS_REMOUNT, 64<<20)
	for _, line := range lines {
		if !try(line, "nothing") {
			t.Errorf("with more space: mtool %.60s fails", line)
		}
	}
	mount(syscall.MS_REMOUNT|syscall.MS_RDONLY, 64<<20)
	for _, line := range []string{
		"load " + filepath.Dir(disk) + "/big.tar -t other:v1",
		"annotate demo:v1 --annotation c=d",
	} {
		try(line, "read-only file system")
	}
	intactDisk(t, disk, done, lines)
	return filled
}

// intactDisk checks that everything that was reported done can be read, and that no temporary file is left.
func intactDisk(t *testing.T, disk string, done map[string]bool, lines []string) {
	t.Helper()
	reads := []string{
		"inspect store:small:v1", "inspect draft:demo:v1", "inspect draft:demo:v1", "inspect store:big:v1",
		"inspect oci:" + disk + "/layout:v1", "inspect oci-archive:" + disk + "/out.tar",
	}
	for i, line := range lines {
		if !done[line] {
			continue
		}
		if code, _, stderr := faults.Run(t.Context(), "", strings.Fields(reads[i])...); code != 0 {
			t.Errorf("%s: code %d: %s", reads[i], code, stderr)
		}
	}
	if code, _, stderr := faults.Run(t.Context(), "", "ls"); code != 0 {
		t.Errorf("ls: code %d: %s", code, stderr)
	}
	_ = filepath.WalkDir(disk, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() &&
			(strings.Contains(path, "/blob-") || strings.Contains(path, ".tmp") || strings.Contains(path, ".new") ||
				strings.Contains(path, ".mtool-")) {
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
}

// TestNoLocks checks that mtool writes nothing to a file system without locks, and says why. strace injects the error.
func TestNoLocks(t *testing.T) {
	testparts.Need(t, testparts.Strace)
	home := faults.NewHome(t)
	mtool := faults.Program(t)
	faults.WriteArchive(t, filepath.Join(home, "amd64.tar"), faults.Image(t, "linux/amd64"))
	faults.MustRun(t, "load "+home+"/amd64.tar -t there:v1")
	for _, number := range []string{"ENOLCK", "EOPNOTSUPP"} {
		for _, line := range []string{"load " + home + "/amd64.tar -t demo:v1", "create demo:v1 store:there:v1", "prune"} {
			words := append([]string{"-f", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=" + number, mtool},
				strings.Fields(line)...)
			out, err := exec.CommandContext(t.Context(), "strace", words...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "file system without locks") ||
				!strings.Contains(string(out), "hint: set MTOOL_HOME") {
				t.Errorf("%s: mtool %s: %v: %s", number, line, err, out)
			}
		}
	}
	if out := faults.MustRun(t, "ls"); strings.Contains(out, "demo") {
		t.Errorf("something was written: %s", out)
	}
}

// TestSyncFails checks that a failing fsync is an error, and nothing is reported done. strace injects the error.
func TestSyncFails(t *testing.T) {
	testparts.Need(t, testparts.Strace)
	home := faults.NewHome(t)
	mtool := faults.Program(t)
	faults.WriteArchive(t, filepath.Join(home, "amd64.tar"), faults.Image(t, "linux/amd64"))
	faults.MustRun(t, "load "+home+"/amd64.tar -t there:v1")
	faults.WriteArchive(t, filepath.Join(home, "arm64.tar"), faults.Image(t, "linux/arm64"))
	for _, line := range []string{"load " + home + "/arm64.tar -t demo:v1", "create demo:v1 store:there:v1"} {
		words := append([]string{"-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", mtool},
			strings.Fields(line)...)
		out, err := exec.CommandContext(t.Context(), "strace", words...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "input/output error") {
			t.Errorf("mtool %s: %v: %s", line, err, out)
		}
	}
	if out := faults.MustRun(t, "ls"); strings.Contains(out, "demo") {
		t.Errorf("something was written: %s", out)
	}
}

// TestForbiddenHome checks that a home without permission to read or write is an error that names it.
func TestForbiddenHome(t *testing.T) {
	home := faults.NewHome(t)
	mtool := filepath.Join(home, "bin", "mtool") // where every user may run it
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Dir(mtool), 0o755), os.WriteFile(mtool, self, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(home, "amd64.tar")
	faults.WriteArchive(t, archive, faults.Image(t, "linux/amd64"))
	store := filepath.Join(home, "mtool")
	for mode, lines := range map[fs.FileMode][]string{
		0o500: {"load " + archive + " -t demo:v1", "create demo:v1 oci-archive:" + archive},
		0o000: {"load " + archive + " -t demo:v1", "create demo:v1 oci-archive:" + archive, "ls", "prune"},
	} {
		if err := os.MkdirAll(store, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			cmd := exec.CommandContext(t.Context(), mtool, strings.Fields(line)...)
			asNobody(t, cmd, store)
			if err := os.Chmod(store, mode); err != nil {
				t.Fatal(err)
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "permission denied") || !strings.Contains(string(out), store) {
				t.Errorf("mode %o: mtool %s: %v: %s", mode, line, err, out)
			}
		}
		if err := os.Chmod(store, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// asNobody makes root's command run as the user nobody, who gets the store: permissions do not limit root.
func asNobody(t *testing.T, cmd *exec.Cmd, store string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	for dir := store; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(store, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
