//go:build !mips64le

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/moby/buildkit/executor"
	resources "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/frontend"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver/ops"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/worker"
	"golang.org/x/sys/unix"
)

// initPath is this program in an emulated step, whose first process it is. /dev is a tmpfs of the step, so the mount
// point is in no layer.
const initPath = "/dev/.mtool-init"

// ResolveOp implements worker.Worker: emulated steps start below an init. The kernel drops the signals of a PID
// namespace's first process that have no handler, and QEMU, which sends such a signal to itself, waits forever.
func (w deviceWorker) ResolveOp(
	v solver.Vertex, bridge frontend.FrontendLLBBridge, sessions *session.Manager, proxy worker.ProxyOpt,
) (solver.Op, error) {
	op, _ := v.Sys().(*pb.Op)
	step, ok := op.GetOp().(*pb.Op_Exec)
	if !ok || proxy.Network || w.init == nil || !w.init.archs[op.Platform.GetArchitecture()] {
		return w.Worker.ResolveOp(v, bridge, sessions, proxy)
	}
	return ops.NewExecOp(v, step, op.Platform, w.CacheMgr, w.ParallelismSem, sessions, w.init, w.Worker, nil, false)
}

// initExecutor runs steps below an init.
type initExecutor struct {
	executor.Executor
	archs map[string]bool // those that are emulated
	path  string          // of the copy of this program
	copy  func() error
}

// withInit returns nil if no step needs an init: nothing is emulated, or steps have no PID namespace.
func withInit(e executor.Executor, c config) *initExecutor {
	if len(c.Emulators) == 0 || c.Shared {
		return nil
	}
	archs := map[string]bool{}
	for _, emulator := range c.Emulators {
		archs[emulator.Arch] = true
	}
	path := filepath.Join(runDir(c.Root), "init")
	return &initExecutor{e, archs, path, sync.OnceValue(func() error { return copySelf(path) })}
}

// close removes the copy, which nothing may have needed.
func (e *initExecutor) close() error {
	if e == nil {
		return nil
	}
	return os.RemoveAll(e.path)
}

// copySelf copies this program, which a step with all capabilities could change, and which may be another's file.
func copySelf(path string) error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer self.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, self)
	return errors.Join(err, f.Chmod(0o555), f.Close()) // whatever the umask is
}

// Run starts the init, which starts the step's program.
//
//nolint:revive // executor.Executor has six arguments
func (e *initExecutor) Run(
	ctx context.Context, id string, root executor.Mount, mounts []executor.Mount, process executor.ProcessInfo,
	started chan<- struct{},
) (resources.Recorder, error) {
	if err := e.copy(); err != nil {
		return nil, fmt.Errorf("preparing the first process of a step: %w", err)
	}
	process.Meta.Args = append([]string{initPath}, process.Meta.Args...)
	end := &lastWrite{WriteCloser: process.Stderr}
	if process.Stderr != nil {
		process.Stderr = end
	}
	mounts = append([]executor.Mount{{Src: bound(e.path), Dest: initPath, Readonly: true}}, mounts...)
	recorder, err := e.Executor.Run(ctx, id, root, mounts, process, started)
	if exit, ok := errors.AsType[*gateway.ExitError](err); ok && exit.ExitCode == gateway.UnknownExitStatus {
		if _, why, found := strings.Cut(end.String(), notStarted); found {
			return recorder, errors.New(notStarted + strings.TrimSpace(why)) // as runc reports it
		}
	}
	return recorder, err
}

// notStarted are runc's words for a program that can't be executed.
const notStarted = "unable to start container process: "

// runInit is the first process of a step: it starts the step's program, passes on signals, and ends like it.
func runInit(args []string) error {
	runtime.LockOSThread() // the death signal belongs to the thread
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM,
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT)
	if len(args) == 0 {
		return errors.New("no program to start")
	}
	path, err := exec.LookPath(args[0])
	if err == nil {
		var pid int
		if pid, err = startChild(path, args, 0, 1, 2); err == nil {
			go forward(signals, pid)
			return exitStatus(awaitChild(pid))
		}
		err = fmt.Errorf("exec %s: %w", path, err)
	}
	fmt.Fprintln(os.Stderr, notStarted+err.Error())
	return exitStatus(gateway.UnknownExitStatus)
}

func forward(signals <-chan os.Signal, pid int) {
	for s := range signals {
		if s, ok := s.(syscall.Signal); ok {
			_ = unix.Kill(pid, s) // it may have ended
		}
	}
}

// lastWrite keeps the last write.
type lastWrite struct {
	io.WriteCloser
	mu   sync.Mutex
	last []byte
}

func (l *lastWrite) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.last = bytes.Clone(p[:min(len(p), 4<<10)])
	l.mu.Unlock()
	return l.WriteCloser.Write(p)
}

func (l *lastWrite) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.last)
}
