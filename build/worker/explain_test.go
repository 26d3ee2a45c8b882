//go:build linux

package worker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"mtool/build/advice"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	elsewhere := advice.Say("run mtool elsewhere").Or(advice.OtherWorker)
	eperm := fmt.Errorf("fork/exec /proc/self/exe: %w", syscall.EPERM)
	for _, c := range []struct {
		name, file, value string
		err               error
		want              string
		next              advice.Advice
	}{
		{
			"Ubuntu", "sys/kernel/apparmor_restrict_unprivileged_userns", "1",
			&failure{Doing: "mounting", Why: "permission denied", Denied: true},
			"kernel.apparmor_restrict_unprivileged_userns is 1: mounting: permission denied",
			advice.Of(advice.AppArmor),
		},
		{
			"old Debian", "sys/kernel/unprivileged_userns_clone", "0", eperm, "kernel.unprivileged_userns_clone is 0",
			advice.Of(advice.KernelSetting, "kernel.unprivileged_userns_clone", "1"),
		},
		{
			"switched off", "sys/user/max_user_namespaces", "0", fmt.Errorf("clone: %w", syscall.ENOSPC),
			"user.max_user_namespaces is 0", advice.Of(advice.KernelSetting, "user.max_user_namespaces", "15000"),
		},
		{
			"a setting that allows", "sys/kernel/unprivileged_userns_clone", "1", eperm, "no setting of this kernel explains it",
			elsewhere,
		},
		{"no setting", "sys/kernel/other", "0", eperm, "no setting of this kernel explains it", elsewhere},
		{"another failure", "sys/kernel/unprivileged_userns_clone", "0", errors.New("disk full"), "starting: disk full", advice.Advice{}},
		{
			"a failure with a hint", "sys/kernel/unprivileged_userns_clone", "0",
			&failure{Doing: "x", Why: "y", Denied: true, Advice: advice.Say("z")}, "starting: x: y", advice.Say("z"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.value+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := explain("starting", c.err, confinement{proc: root, probe: func() error { return syscall.EPERM }})
			var w *Error
			if !errors.Is(err, ErrNoWorker) || !errors.As(err, &w) || !errors.Is(err, c.err) {
				t.Fatalf("got %#v", err)
			}
			if !strings.Contains(err.Error(), c.want) || !reflect.DeepEqual(w.Advised(), c.next) {
				t.Errorf("got %q, advice %+v", err, w.Advised())
			}
		})
	}
}
