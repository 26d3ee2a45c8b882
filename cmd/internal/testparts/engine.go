package testparts

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Engine is a Docker Engine with its own images and without a network for containers. It leaves the machine's firewall
// alone.
type Engine struct {
	// Addr is the value for DOCKER_HOST: "unix:///…/docker.sock".
	Addr string
	// ConfigDir is the value for DOCKER_CONFIG: an empty directory, so that no test sees its user's credentials.
	ConfigDir string
}

// StartDockerd starts a Docker Engine. It stops with the test.
func StartDockerd(t testing.TB) *Engine {
	t.Helper()
	Need(t, Docker)
	return startEngine(t, "dockerd", "{}")
}

// StartDockerd28 starts a Docker Engine 28 that keeps images in containerd, with all platforms, as later versions do by
// default.
func StartDockerd28(t testing.TB) *Engine {
	t.Helper()
	Need(t, Docker, Docker28)
	return startEngine(t, "dockerd28", `{"features": {"containerd-snapshotter": true}}`)
}

// StartDockerd29 starts a Docker Engine 29, which keeps images in containerd. It takes the docker command of old
// versions.
func StartDockerd29(t testing.TB) *Engine {
	t.Helper()
	Need(t, Docker, Docker29)
	return startEngine(t, "dockerd29", `{"min-api-version": "1.24"}`)
}

func startEngine(t testing.TB, program, config string) *Engine {
	t.Helper()
	dir := newDir(t)
	e := &Engine{Addr: "unix://" + dir + "/docker.sock", ConfigDir: t.TempDir()}
	containerd := startContainerd(t, dir)
	writeFile(t, filepath.Join(dir, "daemon.json"), config) // not the machine's
	d := startDaemon(t, dir, Program(t, program), append(cappedRuntime(t, dir),
		"--host", e.Addr, "--containerd", containerd, "--config-file", filepath.Join(dir, "daemon.json"),
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile",
		filepath.Join(dir, "docker.pid"),
		"--iptables=false", "--ip6tables=false", "--bridge=none")...)
	docker := Program(t, "docker")
	d.await(t, func() bool {
		cmd := exec.Command(docker, "version")
		cmd.Env = e.Env()
		return cmd.Run() == nil
	})
	return e
}

// startContainerd starts the engine's containerd and returns its socket. Without one, dockerd would use the machine's
// containerd, if that runs, and share its images and containers.
func startContainerd(t testing.TB, dir string) (socket string) {
	t.Helper()
	socket = filepath.Join(dir, "containerd.sock")
	config := filepath.Join(dir, "containerd.toml")
	// Without the plugin for Kubernetes and the one that makes /opt/containerd.
	writeFile(t, config, `version = 2`,
		`disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]`)
	d := startDaemon(t, dir, Program(t, "containerd"), "--config", config, "--address", socket,
		"--root", filepath.Join(dir, "containerd"), "--state", filepath.Join(dir, "run"))
	d.await(t, func() bool { return answers(socket) })
	return socket
}

// Env returns the environment in which the docker command reaches the engine.
func (e *Engine) Env() []string {
	return []string{"DOCKER_HOST=" + e.Addr, "DOCKER_CONFIG=" + e.ConfigDir, "HOME=" + e.ConfigDir, "PATH=/usr/bin:/bin"}
}
