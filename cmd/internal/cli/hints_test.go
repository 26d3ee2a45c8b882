package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mtool/build/device"
	"mtool/build/emulator"
	"mtool/build/snapshot"
	"mtool/compose"
	"mtool/compose/draft"
	"mtool/compose/publish"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/settings"
	"mtool/registry/source"
	"mtool/registry/store"
)

func TestHints(t *testing.T) {
	t.Parallel()
	parsing := func(name string) error {
		_, err := registry.ParseRef(name)
		return err
	}
	remotely := func(r remote.Reason) error { return &remote.Error{Reason: r, Peer: "r.example:5000"} }
	tests := []struct {
		err  error
		hint string // part of it, or "" for none
	}{
		{errors.New("anything"), ""},
		{remotely(remote.NoReason), ""},
		{remotely(remote.Untrusted), "--tls-skip-verify r.example:5000"},
		{remotely(remote.PlainHTTP), "add --plain-http r.example:5000"},
		{remotely(remote.SpeaksTLS), "leave out --plain-http r.example:5000"},
		{remotely(remote.WrongLogin), `"mtool login r.example:5000"`},
		{remotely(remote.NoLogin), "does not exist"},
		{remotely(remote.Standstill), "--idle-timeout"},
		{parsing("https://r.example/demo"), "leave the scheme out"},
		{parsing("http://r.example/demo"), "leave the scheme out"},
		{parsing("file://lay"), "write oci:lay for a directory"},
		{parsing("oci-layout:dir:v1"), "write oci:dir:v1"},
		{parsing("ostree:a/b"), "skopeo copy ostree:a/b"},
		{parsing("oras://r.example/demo"), "write r.example/demo"},
		{parsing("sif:./demo"), "mtool help names"},
		{&registry.FileError{Path: "deploy.yaml"}, "mtool inspect -f deploy.yaml"},
		{&registry.FileError{Path: "demo.img"}, "write oci-archive:demo.img"},
		{registry.WithKind(errors.New("not here"), source.ErrNotBuilt), "--from registry"},
		{&store.DamagedError{Name: "demo:v1"}, "mtool rm demo:v1"},
		{&draft.NotFoundError{Name: "demo:v1"}, "mtool create demo:v1"},
		{&draft.CorruptError{Name: "demo:v1"}, "remove it with mtool rm demo:v1"},
		{&draft.CorruptError{Name: "demo:v1", Foreign: true}, "the version of mtool that wrote it"},
		{workload.ErrTemplate, "helm template"},
		{workload.ErrElsewhere, "docker compose config"},
		{workload.ErrOutside, "docker compose config"},
		{&workload.WithheldError{Name: "TOKEN"}, "mtool inspect --env TOKEN"},
		{settings.ErrHeader, "mtool login"},
		{settings.ErrMirror, "mtool login"},
		{publish.ErrDropped, "--require"},
		{publish.ErrDamaged, "--force"},
		{publish.ErrTaken, "--no-clobber"},
		{publish.ErrOverwrite, "--force"},
		{compose.ErrSourceMoved, "--refresh"},
		{compose.ErrMoved, ""},
		{compose.ErrSelf, "amend --published"},
		{compose.ErrDuplicate, "--on-duplicate"},
		{compose.ErrNothingLeft, "mtool rm LIST"},
		{compose.ErrEmpty, ""},
		{compose.ErrDockerList, "--type oci"},
		{compose.ErrDockerImage, "--convert"},
		{compose.ErrAttested, "--attestations keep"},
		{compose.ErrUnknown, "--force"},
		{compose.ErrContradicts, "annotation does not change"},
		{compose.ErrNoPlatform, "rebuild it"},
		{compose.ErrPlatform, "--force takes it as it is"},
		{source.ErrNoPodman, "podman save"},
		{&snapshot.DeviceError{}, "--skip-devices"},
		{&snapshot.DeviceError{Archive: "a.tar"}, "tar --exclude"},
		{device.ErrNotMade, "type=tar"},
		{&emulator.HostError{Unmounted: "/b"}, "mount -t binfmt_misc binfmt_misc /b"},
		{registry.WithHint(errors.New("full"), "free some space"), "free some space"},
	}
	for _, tt := range tests {
		for _, err := range []error{tt.err, fmt.Errorf("doing: %w", tt.err), errors.Join(errors.New("first"), tt.err)} {
			if got := hintOf(err); (tt.hint == "") != (got == "") || !strings.Contains(got, tt.hint) {
				t.Errorf("%#v: got hint %q, want %q", err, got, tt.hint)
			}
		}
	}
}
