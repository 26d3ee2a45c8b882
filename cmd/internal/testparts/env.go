package testparts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Env returns an environment in which other tools neither see nor change the files of the test's user: homes and
// configurations are empty, and podman and buildah have no images. PATH begins with the programs of testdata/deps.sh
// and testdata/tools.sh.
func Env(t testing.TB) []string {
	t.Helper()
	home := newHome(t)
	for _, dir := range []string{"bin", "run", "shm", "lib", ".docker"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// podman fails without the file in DOCKER_CONFIG
	writeFile(t, filepath.Join(home, ".docker/config.json"), "{}")
	for _, program := range []string{"podman", "buildah", "skopeo"} {
		if path, err := look(program); err == nil {
			enclose(t, home, path)
		}
	}
	path := append(append([]string{filepath.Join(home, "bin")}, depsDirs()...), os.Getenv("PATH"), "/usr/sbin", "/sbin")
	return []string{
		"PATH=" + strings.Join(path, ":"), "HOME=" + home, "TMPDIR=" + home,
		"XDG_RUNTIME_DIR=" + home + "/run", "XDG_CONFIG_HOME=" + home + "/.config", "XDG_DATA_HOME=" + home + "/.local/share",
		"XDG_CACHE_HOME=" + home + "/.cache",
		"STORAGE_DRIVER=vfs", // for podman, buildah and skopeo: overlays can't be nested everywhere
		"DOCKER_CONFIG=" + home + "/.docker",
	}
}

// enclose writes a wrapper of program into home/bin. For root it mounts directories of home, in a mount namespace, over
// those where podman, buildah and skopeo keep images and locks regardless of their environment.
func enclose(t testing.TB, home, program string) {
	t.Helper()
	// Rootless podman leaves a process that keeps its namespace open.
	script := fmt.Sprintf(`#!/bin/sh
%[2]s "$@"
status=$?
pause=%[1]s/run/libpod/tmp/pause.pid
[ ! -e $pause ] || kill "$(cat $pause)"
exit $status
`, home, program)
	if os.Geteuid() == 0 {
		script = fmt.Sprintf(`#!/bin/sh
exec unshare --mount -- sh -c '
	set -e
	mount --bind %[1]s/lib /var/lib
	mount --bind %[1]s/shm /dev/shm
	mount --bind %[1]s/run /run
	exec %[2]s "$@"' %[2]s "$@"
`, home, program)
	}
	if err := os.WriteFile(filepath.Join(home, "bin", filepath.Base(program)), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}
