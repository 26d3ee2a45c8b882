package worker

import (
	"slices"
	"strings"
)

// childEnv is the environment of a worker: the caller's, for its proxies and certificates, without what would make runc
// talk to the caller's session, and with the directories that hold system programs.
func childEnv(env []string) []string {
	drop := []string{"USER", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "TMPDIR"}
	out := make([]string, 0, len(env)+1)
	path := "/usr/sbin:/usr/bin:/sbin:/bin"
	for _, kv := range env {
		key, value, _ := strings.Cut(kv, "=")
		switch {
		case slices.Contains(drop, key):
		case key == "PATH" && value != "":
			path = value + ":/usr/sbin:/sbin"
		default:
			out = append(out, kv)
		}
	}
	return append(out, "PATH="+path)
}
