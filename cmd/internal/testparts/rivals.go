package testparts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Rival is a program that builds images, with a state of its own.
type Rival struct {
	Name string
	// Build returns the command that builds a context for this machine with the state as its cache.
	Build func(context string) *exec.Cmd
	// Layout returns the command that writes the last image into an OCI layout and prints its path.
	Layout func() *exec.Cmd
	// Forget returns the command that empties the state.
	Forget func() *exec.Cmd
}

// StartRivals returns mtool (the program at that path), buildctl with a daemon, docker build and buildx with one
// engine, and buildah. RUN steps have no network. storage is buildah's driver: overlay, or vfs, which works everywhere.
func StartRivals(t testing.TB, mtool, storage string) []Rival {
	t.Helper()
	Need(t, Buildah, Buildkit, Buildx, Docker, Skopeo)
	dir := newDir(t)
	shell := func(script string, env ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
		cmd.Env = append(
			append([]string{
				"HOME=" + dir,
				"PATH=" + strings.Join(append(depsDirs(), os.Getenv("PATH"), "/usr/sbin", "/sbin"), ":"),
			}, env...), "DIR="+dir)
		return cmd
	}
	builder := func(name string, env []string, build, layout, forget string) Rival {
		return Rival{
			Name: name, Layout: func() *exec.Cmd { return shell(layout, env...) },
			Forget: func() *exec.Cmd { return shell(forget, env...) },
			Build:  func(context string) *exec.Cmd { return shell(build, append(env, "CONTEXT="+context)...) },
		}
	}
	engine := StartDockerd(t)
	buildah := "buildah --root $DIR/buildah --runroot $DIR/buildah-run --storage-driver " + storage
	return []Rival{
		builder("mtool", []string{"MTOOL_HOME=" + filepath.Join(dir, "mtool"), "MTOOL=" + mtool},
			`"$MTOOL" build -q --network none -t tree:v1 "$CONTEXT"`,
			`rm -rf $DIR/mtool.oci; "$MTOOL" copy -q store:tree:v1 oci:$DIR/mtool.oci:v1 >&2; echo $DIR/mtool.oci`,
			`rm -rf $DIR/mtool`),
		builder("buildctl", []string{"BUILDKIT_HOST=" + StartBuildkitd(t)},
			`rm -rf $DIR/buildctl.oci; buildctl build --progress quiet --frontend dockerfile.v0 --local context="$CONTEXT" --local dockerfile="$CONTEXT" --opt force-network-mode=none --output type=oci,tar=false,dest=$DIR/buildctl.oci`,
			`echo $DIR/buildctl.oci`,
			`buildctl prune --all >&2`),
		builder("docker build", append(engine.Env()[:2:2], "DOCKER_BUILDKIT=1"),
			`docker build -q --network none -t tree:v1 "$CONTEXT"`,
			`docker save -o $DIR/docker.tar tree:v1; rm -rf $DIR/docker.oci; skopeo --insecure-policy copy -q docker-archive:$DIR/docker.tar oci:$DIR/docker.oci:v1 >&2; echo $DIR/docker.oci`,
			`docker rmi -f tree:v1 >&2 || :; docker builder prune -af >&2`),
		// "docker build" runs buildx since Docker 23.
		builder("docker buildx", engine.Env()[:2:2],
			`buildx build --builder default -q --network none -t tree:v2 "$CONTEXT"`,
			`docker save -o $DIR/buildx.tar tree:v2; rm -rf $DIR/buildx.oci; skopeo --insecure-policy copy -q docker-archive:$DIR/buildx.tar oci:$DIR/buildx.oci:v1 >&2; echo $DIR/buildx.oci`,
			`docker rmi -f tree:v2 >&2 || :; docker builder prune -af >&2`),
		builder("buildah build", nil,
			buildah+` build -q --runtime runc --isolation oci --network none --layers -t tree:v1 "$CONTEXT"`,
			`rm -rf $DIR/buildah.oci; `+buildah+` push -q tree:v1 oci:$DIR/buildah.oci:v1 >&2; echo $DIR/buildah.oci`,
			buildah+` rmi -af >&2 || :`),
	}
}
