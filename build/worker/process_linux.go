//go:build !mips64le

package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// Process is a running worker. End it with Close.
type Process struct {
	cmd     *exec.Cmd
	control net.Conn // configuration and notes; its end is the child's end
	mu      sync.Mutex
	serve   net.Conn // BuildKit's API; nil once dialled
	done    chan struct{}
	err     error // of Wait, once done is closed
	log     tail  // the child's output, empty unless something is wrong
	reaper  bool  // the child is a reaper, which replaces a PID namespace

	noDevices error // why the child makes none
}

// Descriptors of the child.
const (
	controlFD = 3
	serveFD   = 4
)

// goOn tells a child that its ids are mapped.
const goOn = 1

// The names under which this program starts itself, and the stages of a child.
const (
	childName     = "mtool-worker"
	shimName      = "mtool-runc"
	stageProbe    = "probe" // exits at once: tests whether such a process can start
	stageUnmapped = "unmapped"
	stageMapped   = "mapped"
	withReaper    = "reaper" // an argument after the stage: a reaper replaces the PID namespace
)

// spawn starts the child in its namespaces; shared means without a PID namespace.
func spawn(m mapping, shared bool) (*Process, error) {
	control, theirControl, err := socketPair()
	if err != nil {
		return nil, err
	}
	serve, theirServe, err := socketPair()
	if err != nil {
		return nil, errors.Join(err, control.Close(), theirControl.Close())
	}
	p := &Process{control: control, serve: serve, done: make(chan struct{}), reaper: shared}
	p.cmd = command(m, shared, &p.log)
	p.cmd.ExtraFiles = []*os.File{theirControl, theirServe}
	err = p.start()
	theirControl.Close()
	theirServe.Close()
	if err != nil {
		return nil, errors.Join(err, control.Close(), serve.Close())
	}
	return p, nil
}

// start starts the child and waits for it, in its own thread: the death signal is sent when the thread that forked
// ends, not when the process does.
func (p *Process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	return <-started
}

func command(m mapping, shared bool, log *tail) *exec.Cmd {
	args, env := []string{childName, stageMapped}, childEnv(os.Environ())
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true, // a terminal's Ctrl-C is for the parent, which ends the build in order
	}
	if shared {
		attr.Cloneflags &^= syscall.CLONE_NEWPID
		args, env = append(args, withReaper), bareEnv(os.Environ())
	}
	if m.Helpers {
		args[1] = stageUnmapped
	} else {
		attr.UidMappings, attr.GidMappings = kernelMap(m.UIDs), kernelMap(m.GIDs)
		attr.GidMappingsEnableSetgroups = m.Setgroups
	}
	return &exec.Cmd{
		Path: "/proc/self/exe", Args: args, Dir: "/", Env: env,
		Stdout: log, Stderr: log, SysProcAttr: attr, WaitDelay: 2 * time.Second,
	}
}

func kernelMap(maps []user.IDMap) []syscall.SysProcIDMap {
	var out []syscall.SysProcIDMap
	for _, m := range maps {
		out = append(out, syscall.SysProcIDMap{ContainerID: int(m.ID), HostID: int(m.ParentID), Size: int(m.Count)})
	}
	return out
}

// Dial returns the connection to the worker. There is only one: a second call fails.
func (p *Process) Dial(context.Context) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.serve == nil {
		return nil, errors.Join(errors.New("the connection to the worker broke"), p.Err())
	}
	c := p.serve
	p.serve = nil
	return c, nil
}

// NoDevices returns why images can't have devices; nil if they can.
func (p *Process) NoDevices() error { return p.noDevices }

// Err returns nil while the worker runs, and then how it ended.
func (p *Process) Err() error {
	select {
	case <-p.done:
	case <-time.After(100 * time.Millisecond): // a connection breaks a moment before the process is gone
		return nil
	}
	how := "the worker ended"
	if p.err != nil {
		how += ": " + p.err.Error()
	}
	if said := p.log.String(); said != "" {
		how += ": " + said
	}
	return errors.New(how)
}

// Close ends the worker and everything in it in order: when it returns, the state is closed and the lock is free.
// Running steps are killed.
func (p *Process) Close() error {
	p.closeServe() // a server does not stop while it greets a client
	if _, err := p.control.Write([]byte("\"stop\"\n")); err != nil {
		p.kill()
		return p.Err()
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.kill()
		return errors.New("stopping the worker: it did not end within 10 s and was killed")
	}
	_ = p.control.Close()
	if p.err != nil {
		return fmt.Errorf("stopping the worker: %w: %s", p.err, p.log.String())
	}
	return nil
}

func (p *Process) kill() {
	if p.reaper {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(10 * time.Second):
		}
	}
	_ = p.cmd.Process.Kill() // an error means that it has ended already
	<-p.done
	p.closeServe()
	_ = p.control.Close()
}

// closeServe closes the connection that was not dialled.
func (p *Process) closeServe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.serve != nil {
		_ = p.serve.Close()
		p.serve = nil
	}
}

// socketPair makes two connected sockets: a connection for this process, a file to be inherited by the child.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket pair: %w", err)
	}
	mine, theirs := os.NewFile(uintptr(fds[0]), "worker"), os.NewFile(uintptr(fds[1]), "worker")
	defer mine.Close() // FileConn duplicates it
	conn, err := net.FileConn(mine)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn, theirs, nil
}

// thisConfinement is the confinement of this process. Its probe creates a user namespace without mappings, in a
// process that exits at once.
func thisConfinement() confinement {
	return confinement{proc: "/proc", root: os.Geteuid() == 0, probe: func() error {
		probe := &exec.Cmd{
			Path: "/proc/self/exe", Args: []string{childName, stageProbe},
			SysProcAttr: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER},
		}
		return probe.Run()
	}}
}

// tail keeps the end of what is written to it. It is safe for use from several goroutines.
type tail struct {
	mu    sync.Mutex
	bytes []byte
}

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, p...)
	if over := len(t.bytes) - tailSize; over > 0 {
		t.bytes = append(t.bytes[:0], t.bytes[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.bytes))
}
