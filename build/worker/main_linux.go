//go:build !mips64le

package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Available returns nil: this program has a worker.
func Available() error { return nil }

// Main never returns if this process is a worker, the shim around runc, or the first process of a step. Otherwise it
// does nothing.
func Main() {
	switch {
	case os.Args[0] == initPath:
		exit(runInit(os.Args[1:]))
	case filepath.Base(os.Args[0]) == shimName:
		exit(shim(os.Args[1:]))
	case os.Args[0] != childName || len(os.Args) < 2:
		return
	}
	runtime.LockOSThread() // the death signal belongs to the thread
	switch word := os.Args[2:]; {
	case os.Args[1] == stageUnmapped:
		exit(becomeRoot(word))
	case os.Args[1] == stageMapped && len(word) > 0:
		exit(reap())
	case os.Args[1] == stageMapped:
		exit(child())
	case os.Args[1] == stageProbe:
		exit(nil)
	}
	exit(fmt.Errorf("unknown stage %q", os.Args[1]))
}

func exit(err error) {
	if status, ok := errors.AsType[exitStatus](err); ok {
		os.Exit(int(status))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// becomeRoot waits until the parent has mapped the ids, becomes the namespace's root and executes itself again: a
// process whose id was not mapped lost its capabilities at exec.
func becomeRoot(word []string) error {
	b := make([]byte, 1)
	if n, err := unix.Read(controlFD, b); err != nil || n != 1 || b[0] != goOn {
		return errors.New("the parent process is gone")
	}
	if err := syscall.Setresgid(0, 0, 0); err != nil {
		return fmt.Errorf("becoming root of the namespace: %w", err)
	}
	if err := syscall.Setresuid(0, 0, 0); err != nil {
		return fmt.Errorf("becoming root of the namespace: %w", err)
	}
	return syscall.Exec("/proc/self/exe", append([]string{childName, stageMapped}, word...), os.Environ())
}

// child runs a worker until its parent says so, or ends.
func child() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if err := leaveNoCore(); err != nil {
		return err
	}
	syscall.CloseOnExec(controlFD)
	syscall.CloseOnExec(serveFD)
	control := os.NewFile(controlFD, "control")
	commands, answers := json.NewDecoder(control), json.NewEncoder(control)
	var c config
	if err := commands.Decode(&c); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if c.Try != nil {
		return answers.Encode(try(c))
	}
	stop := make(chan struct{})
	go awaitStop(commands, stop)
	s, err := open(c, func(note string) { _ = answers.Encode(message{Note: note}) })
	if err != nil {
		_ = answers.Encode(message{Failed: asFailure(err)})
		return err
	}
	ready := message{Ready: true}
	if s.noDevices != nil {
		ready.NoDevices = s.noDevices.Error()
	}
	if err := answers.Encode(ready); err != nil {
		return err
	}
	<-stop
	return s.close()
}

// leaveNoCore disables core dumps of this process, which handles secrets, and of its steps. The limit must be exactly
// 0: then QEMU reports that a program has crashed.
func leaveNoCore() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	limit.Cur = 0
	return unix.Setrlimit(unix.RLIMIT_CORE, &limit)
}

// awaitStop closes stop when the parent says so. If the parent is gone without a word, this process exits at once: it
// is the first of its PID namespace, so the kernel kills the others.
func awaitStop(commands *json.Decoder, stop chan<- struct{}) {
	var word string
	if err := commands.Decode(&word); err != nil {
		os.Exit(1)
	}
	close(stop)
	if err := commands.Decode(&word); errors.Is(err, io.EOF) {
		os.Exit(1)
	}
}

// open prepares the namespace and the state, and returns the server.
func open(c config, note func(string)) (*server, error) {
	if err := enter(c); err != nil {
		return nil, err
	}
	lock, err := lockState(c, note)
	if err != nil {
		return nil, err
	}
	if thisConfinement().filtered() && !maySetHostname() {
		c.DropHostname = true
		note("RUN steps see the host name of this machine: a seccomp filter forbids giving them another")
	}
	boot := bootID()
	c.NoSync = boot != ""
	synced, err := deferSyncs(c.Root, boot)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s, err := openState(c, note)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.finish = func() error { return errors.Join(synced(), lock.Close()) }
	if err := s.serve(os.NewFile(serveFD, "serve")); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openState opens the state directory, by a path that all of BuildKit can use.
func openState(c config, note func(string)) (*server, error) {
	root, err := shortenRoot(c)
	if err != nil {
		return nil, err
	}
	names := newNaming(root, c.Root)
	short := c
	short.Root = root
	if err := prepareEnv(short); err != nil {
		return nil, err
	}
	s, err := newServer(short, names, func(text string) { note(names.text(text)) })
	if err != nil {
		f := asFailure(err)
		f.Why = names.text(f.Why)
		return nil, f
	}
	return s, nil
}
