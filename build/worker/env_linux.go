//go:build !mips64le

package worker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
)

// childEnv returns the environment of a worker: the caller's, for its proxies and certificates, without what would
// make runc use the caller's session, and with the directories of system programs.
func childEnv(env []string) []string {
	drop := []string{
		"USER", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID",
		"LISTEN_FDNAMES", "TMPDIR",
	}
	return withPath(env, func(name string) bool { return !slices.Contains(drop, name) })
}

// bareEnv returns the environment of a worker whose processes steps can see: only the path. See keptEnv.
func bareEnv(env []string) []string {
	return withPath(env, func(string) bool { return false })
}

// keptEnv returns the variables that such a worker gets through its socket: those needed to reach registries. Others
// may contain credentials.
func keptEnv(env []string) (kept []string) {
	names := []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); slices.Contains(names, strings.ToUpper(name)) {
			kept = append(kept, kv)
		}
	}
	return kept
}

func withPath(env []string, keep func(name string) bool) []string {
	out := make([]string, 0, len(env)+1)
	path := "/usr/sbin:/usr/bin:/sbin:/bin"
	for _, kv := range env {
		switch name, value, _ := strings.Cut(kv, "="); {
		case name == "PATH" && value != "":
			path = value + ":/usr/sbin:/sbin"
		case name != "PATH" && keep(name):
			out = append(out, kv)
		}
	}
	return append(out, "PATH="+path)
}

// prepareEnv puts temporary files of BuildKit, containerd and runc into the state directory, where tidy finds those
// of a killed worker; see also childEnv.
func prepareEnv(c config) error {
	vars := c.Registries.Proxy.Vars() // those of docker's config.json are not in the environment
	vars["XDG_RUNTIME_DIR"], vars["TMPDIR"] = runDir(c.Root), tmpDir(c.Root)
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv, "=")
		vars[name] = value
	}
	for name, value := range vars {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return mount.SetTempMountLocation(tmpDir(c.Root))
}

func runDir(root string) string { return filepath.Join(root, "run") }

func tmpDir(root string) string { return filepath.Join(root, "tmp") }
