package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mtool/cmd/internal/testparts"
)

// TestUnprivileged builds, creates, publishes and runs as an unprivileged user, on a machine without a binfmt_misc
// entry for arm64.
func TestUnprivileged(t *testing.T) {
	testparts.Need(t, testparts.Unprivileged, testparts.QEMU, testparts.Registry)
	user := testparts.NewUser(t)
	host := testparts.StartRegistry(t, testparts.RegistryOptions{}).Host
	mtool := installFor(t, user)
	context, err := crossCompile(t)
	if err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(user.Home, "app")
	for _, file := range []string{"app-amd64", "app-arm64", "Dockerfile"} {
		user.Give(t, filepath.Join(context, file), "app")
	}
	before := binfmt(t)
	if strings.Contains(before, "aarch64") {
		t.Log("this machine's binfmt_misc has an entry for aarch64: the test proves less here")
	}
	run := func(args ...string) string { return runAs(t, user, mtool, args...) }
	run("build", "--arch", "amd64", "-t", "demo:v1-amd64", app)
	if out := run("build", "--arch", "arm64", "--progress", "plain", "-t", "demo:v1-arm64", app); !strings.Contains(out,
		"compiled for linux/arm64, running on aarch64") {
		t.Errorf("the RUN step did not run under QEMU:\n%s", out)
	}
	run("create", "demo:v1", "--amend", "demo:v1-amd64", "--amend", "demo:v1-arm64")
	run("annotate", "demo:v1", "--annotation", "org.opencontainers.image.title=demo")
	run("push", "demo:v1", host+"/user/demo:v1")
	if out := run("inspect", "--exact", "--require", "linux/amd64,linux/arm64",
		host+"/user/demo:v1"); !strings.Contains(out, "title=demo") {
		t.Errorf("the annotation is missing:\n%s", out)
	}
	if out := run("inspect", "--run", "/app", host+"/user/demo:v1"); !strings.Contains(out,
		"compiled for linux/arm64, running on aarch64") {
		t.Errorf("the image did not run under QEMU:\n%s", out)
	}
	if after := binfmt(t); after != before {
		t.Errorf("binfmt_misc has changed:\n%s\nwas:\n%s", after, before)
	}
}

// installFor gives the user QEMU, and this test's binary as mtool.
func installFor(t *testing.T, user *testparts.User) (mtool string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "mtool")
	if err := os.Symlink(self, named); err != nil {
		t.Fatal(err)
	}
	user.Give(t, testparts.Program(t, "qemu-aarch64-static"), "bin")
	return user.Give(t, named, "bin")
}

func runAs(t *testing.T, user *testparts.User, program string, args ...string) string {
	t.Helper()
	out, err := user.Command(context.WithoutCancel(t.Context()), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("mtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// binfmt lists the machine's binfmt_misc entries.
func binfmt(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir("/proc/sys/fs/binfmt_misc")
	if err != nil {
		t.Logf("no binfmt_misc: %v", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}
