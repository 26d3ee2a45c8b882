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

	"mtool/build"
	"mtool/build/emulator"
)

// TryOptions are the architectures to try, in Go's words, and the emulators for those that are not native.
type TryOptions struct {
	Archs       []string
	Emulators   []emulator.Found
	HostEntries bool // don't make a private binfmt_misc, as on kernels before 6.7
}

// Try runs a tiny program of each architecture, in namespaces like a worker's, and tells of each why it does not run; nil
// when it does. The error is a *build.WorkerError where this machine lets no such namespaces be made.
func Try(ctx context.Context, o TryOptions) (map[string]error, error) {
	dir, err := os.MkdirTemp("", "mtool-try-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a few bytes below the temporary directory
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	for _, arch := range o.Archs {
		if err := os.WriteFile(filepath.Join(dir, arch), emulator.Program(arch), 0o755); err != nil {
			return nil, err
		}
	}
	said, err := askChild(ctx, config{Root: dir, Emulators: o.Emulators, HostEntries: o.HostEntries, Try: &trial{Dir: dir, Archs: o.Archs}})
	if err != nil {
		return nil, err
	}
	tried := map[string]error{}
	for _, arch := range o.Archs {
		tried[arch] = nil
		if why := said.Tried[arch]; why != "" {
			tried[arch] = errors.New(why)
		}
	}
	return tried, nil
}

// askChild starts a child that answers once and ends.
func askChild(ctx context.Context, c config) (said message, err error) {
	const doing = "trying emulators"
	who, err := thisCaller()
	if err != nil {
		return said, &build.WorkerError{Doing: doing, Err: err}
	}
	m, _ := planMapping(who)
	p, err := spawn(m)
	if err != nil {
		return said, explain(doing, err, "/proc/sys")
	}
	defer p.kill()
	defer context.AfterFunc(ctx, func() { _ = p.control.SetDeadline(time.Now()) })()
	if err := p.configure(ctx, m, c); err != nil {
		return said, explain(doing, err, "/proc/sys")
	}
	if err := json.NewDecoder(p.control).Decode(&said); err != nil {
		return said, explain(doing, p.gone(err), "/proc/sys")
	}
	if said.Failed != nil {
		return said, explain(doing, said.Failed, "/proc/sys")
	}
	return said, nil
}

// try is the child's part.
func try(c config) message {
	if err := enter(c); err != nil {
		return message{Failed: asFailure(err)}
	}
	said := message{Tried: map[string]string{}}
	for _, arch := range c.Try.Archs {
		if err := tryOne(c.Try.Dir, arch); err != nil {
			said.Tried[arch] = err.Error()
		}
	}
	return said
}

// tryOne sees what a step sees: a root directory without the emulator in it.
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
