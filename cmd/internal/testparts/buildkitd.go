package testparts

import (
	"net"
	"path/filepath"
	"testing"
)

// StartBuildkitd starts a BuildKit daemon with its own state, whose RUN steps use the machine's network. It returns the
// address for `mtool build --worker`: "unix:///…/buildkitd.sock". The daemon stops with the test.
func StartBuildkitd(t testing.TB) (addr string) {
	t.Helper()
	Need(t, Buildkit)
	dir := newDir(t)
	socket := filepath.Join(dir, "buildkitd.sock")
	writeFile(t, filepath.Join(dir, "buildkitd.toml")) // not the machine's
	d := startDaemon(t, dir, Program(t, "buildkitd"), "--config", filepath.Join(dir, "buildkitd.toml"), "--addr",
		"unix://"+socket,
		"--root", filepath.Join(dir, "state"), "--oci-worker-net", "host", "--containerd-worker=false")
	d.await(t, func() bool { return answers(socket) })
	return "unix://" + socket
}

// answers reports whether a process listens on a socket.
func answers(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
