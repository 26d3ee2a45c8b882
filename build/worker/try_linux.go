//go:build !mips64le

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"mtool/build/emulator"
)

// TryOptions are the architectures to try, by Go's names, and the emulators for those that are not native.
type TryOptions struct {
	Archs       []string
	Emulators   []emulator.Found
	HostEntries bool // don't make a private binfmt_misc, as on kernels before 6.7
}

// Try runs a tiny program of each architecture in namespaces like a worker's, and returns for each why it does not
// run; nil if it does. The error is a *Error if this machine forbids such namespaces.
func Try(ctx context.Context, o TryOptions) (map[string]error, error) {
	answer, err := askChild(ctx, config{Emulators: o.Emulators, HostEntries: o.HostEntries, Try: o.Archs})
	if err != nil {
		return nil, err
	}
	tried := map[string]error{}
	for _, arch := range o.Archs {
		tried[arch] = nil
		if why := answer.Tried[arch]; why != "" {
			tried[arch] = errors.New(why)
		}
	}
	return tried, nil
}

// askChild starts a child that answers once and exits.
func askChild(ctx context.Context, c config) (answer message, err error) {
	const doing = "trying emulators"
	me, err := thisCaller()
	if err != nil {
		return answer, &Error{Doing: doing, Err: err}
	}
	m, _ := planMapping(me)
	answer, err = c.ask(ctx, m)
	if masked(err) {
		c.Shared = true
		answer, err = c.ask(ctx, m)
	}
	if err != nil {
		return answer, explain(doing, err, thisConfinement())
	}
	return answer, nil
}

func (c config) ask(ctx context.Context, m mapping) (answer message, err error) {
	p, err := spawn(m, c.Shared)
	if err != nil {
		return answer, err
	}
	defer p.kill()
	defer context.AfterFunc(ctx, func() { _ = p.control.SetDeadline(time.Now()) })()
	if err := p.configure(ctx, m, c); err != nil {
		return answer, err
	}
	if err := json.NewDecoder(p.control).Decode(&answer); err != nil {
		return answer, p.gone(err)
	}
	if answer.Failed != nil {
		return answer, answer.Failed
	}
	return answer, nil
}

// try is the child's part.
func try(c config) message {
	dir, err := writePrograms(c)
	if err != nil {
		return message{Failed: asFailure(err)}
	}
	answer := message{Tried: map[string]string{}}
	for _, arch := range c.Try {
		if err := tryOne(dir, arch); err != nil {
			answer.Tried[arch] = err.Error()
		}
	}
	return answer
}

// writePrograms writes a program of each architecture to a file system of this namespace: the machine's temporary
// directory may be mounted noexec.
func writePrograms(c config) (dir string, err error) {
	if err := enter(c); err != nil {
		return "", err
	}
	if dir = mountPoint(c.Shared); dir == "" {
		return "", errors.New("finding a place for programs: no directory can be mounted on")
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, "mode=755"); err != nil {
		return "", denied("mounting a file system for programs", err)
	}
	for _, arch := range c.Try {
		if err := os.WriteFile(filepath.Join(dir, arch), emulator.Program(arch), 0o755); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// tryOne runs a program like a step: in a root directory without the emulator.
func tryOne(dir, arch string) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/"+arch)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: dir}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == emulator.ProgramExit {
		return nil
	}
	if err == nil {
		err = errors.New("exit status 0")
	}
	return fmt.Errorf("running a program of %s, which exits with %d: %w", arch, emulator.ProgramExit, err)
}
