package serve_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mtool/registry/registrytest"
	"mtool/registry/serve"
	"mtool/registry/store"
)

// diskVariable has the mount point of a small disk. It is set when this binary runs again in its own mount namespace.
const diskVariable = "MTOOL_TEST_DISK"

// An upload that does not fit on the disk fails with the reason and leaves no files. A smaller one succeeds.
func TestDiskFull(t *testing.T) {
	if dir := os.Getenv(diskVariable); dir != "" {
		fillDisk(t, filepath.Join(dir, "store"))
		return
	}
	if err := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", "true").Run(); err != nil {
		t.Skipf("no user namespaces: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `mount -t tmpfs -o size=1m none "$0" && exec "$1" -test.run='^TestDiskFull$' -test.v`
	cmd := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, t.TempDir(), self)
	cmd.Env = append(os.Environ(), diskVariable+"="+cmd.Args[len(cmd.Args)-2])
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

func fillDisk(t *testing.T, dir string) {
	s := store.Open(dir)
	host := start(t, s, serve.Options{Writable: true})
	large := make([]byte, 3<<20)
	got := do(t, "POST", host+"/v2/demo/blobs/uploads/?digest="+registrytest.Hash(large).String(), withBody(octets, large))
	if got.StatusCode != 507 || code(t, got) != "DENIED" || !strings.Contains(got.body, "is full: 3145728 bytes needed") {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	if left := stagedFiles(t, s); len(left) > 0 {
		t.Errorf("files left: %q", left)
	}
	upload(t, host, "demo", make([]byte, 100<<10))
}
