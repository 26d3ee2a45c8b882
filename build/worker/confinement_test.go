//go:build linux

package worker

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"mtool/build/advice"
)

// The error of a refused worker names the cause if no kernel setting explains the refusal.
func TestExplainConfinement(t *testing.T) {
	t.Parallel()
	const (
		free     = "CapEff:\t000001ffffffffff\nSeccomp:\t0\n"
		filtered = "CapEff:\t00000000a80425fb\nSeccomp:\t2\n"
		bare     = "CapEff:\t0000000000000000\nSeccomp:\t2\n"
		rooted   = "72 48 0:39 / / rw - overlay overlay rw\n"
	)
	inside := &failure{Doing: "mounting", Why: "permission denied", Denied: true}
	refuses, allows := func() error { return syscall.EPERM }, func() error { return nil }
	for _, c := range []struct {
		name                     string
		status, profile, mounted string
		probe                    func() error
		err                      error
		root                     bool
		want                     string
		next                     advice.Advice
	}{
		{
			"docker run", filtered, "docker-default (enforce)", rooted, refuses, syscall.EPERM, true,
			"user namespaces are forbidden here by a seccomp filter", advice.Of(advice.OpenContainer),
		},
		{
			"without seccomp", free, "docker-default (enforce)\n", rooted, refuses, inside, true,
			"mounts in a user namespace are forbidden here by the AppArmor profile docker-default", advice.Of(advice.OpenContainer),
		},
		{
			"a profile that only complains", free, "mine (complain)", rooted, refuses, syscall.EPERM, false,
			"no setting of this kernel explains it",
			advice.Say("run mtool elsewhere").Or(advice.OtherWorker),
		},
		{
			"cap-drop", bare, "", rooted, allows, syscall.EPERM, true, "root has lost the capabilities SETGID, SETUID, SETFCAP",
			advice.Of(advice.MapCapabilities),
		},
		{
			"no root", bare, "", rooted, allows, syscall.EPERM, false,
			"mapping ids into a user namespace are forbidden here by a seccomp filter", advice.Of(advice.OpenContainer),
		},
		{
			"chroot", free, "unconfined", "73 72 0:42 / /proc rw - proc proc rw\n", refuses, syscall.EPERM, true, "in a chroot",
			advice.Say("run mtool outside of the chroot").Or(advice.OtherWorker),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{
				"self/status": c.status, "self/attr/current": c.profile,
				"self/mountinfo": c.mounted,
			} {
				path := filepath.Join(dir, file)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			err := explain("starting", c.err, confinement{proc: dir, root: c.root, probe: c.probe})
			var w *Error
			if !errors.As(err, &w) || !strings.Contains(err.Error(), c.want) || !reflect.DeepEqual(w.Advised(), c.next) {
				t.Errorf("got %q, advice %+v", err, w.Advised())
			}
		})
	}
}
