//go:build !mips64le

package worker

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// reap runs a worker below this process, a reaper that replaces a missing PID namespace: it survives its parent, whose
// death the worker notices, and ends what is left once the worker has ended.
func reap() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0); err != nil {
		return err
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	worker, err := startChild("/proc/self/exe", []string{childName, stageMapped}, 0, 1, 2, controlFD, serveFD)
	if err != nil {
		return fmt.Errorf("starting the worker: %w", err)
	}
	_ = unix.Close(controlFD) // the worker has them
	_ = unix.Close(serveFD)
	go func() {
		<-terminate
		_ = unix.Kill(worker, syscall.SIGKILL)
	}()
	status := awaitChild(worker)
	endAll()
	return exitStatus(status)
}

// startChild makes this process the one that inherits orphans below it, and starts a child that dies with this
// thread.
func startChild(program string, args []string, files ...uintptr) (pid int, err error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	return syscall.ForkExec(program, args, &syscall.ProcAttr{
		Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
}

// awaitChild returns the exit code of pid and reaps every other process that ends before it.
func awaitChild(pid int) int {
	for {
		var status unix.WaitStatus
		switch ended, err := unix.Wait4(-1, &status, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return 1
		case ended == pid && status.Exited():
			return status.ExitStatus()
		case ended == pid:
			return 128 + int(status.Signal())
		}
	}
}

// endAll kills every descendant. It stops them first: a stopped process can't fork.
func endAll() {
	const patience = 5 * time.Second
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stopped := map[int]bool{}
		for grown := true; grown; {
			grown = false
			for _, pid := range descendants() {
				grown = grown || !stopped[pid]
				stopped[pid] = true
				_ = unix.Kill(pid, syscall.SIGSTOP)
			}
		}
		for pid := range stopped {
			_ = unix.Kill(pid, syscall.SIGKILL)
		}
		for {
			ended, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.ECHILD {
				return
			}
			if ended <= 0 {
				break
			}
		}
	}
}

// descendants lists the living processes below this one.
func descendants() []int {
	children := map[int][]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, file := range files {
		if pid, parent, ok := parentOf(file); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	all := children[os.Getpid()]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// parentOf reads "12 (name) S 11 …": a name may contain anything, even parentheses. Zombies don't count.
func parentOf(stat string) (pid, parent int, ok bool) {
	b, err := os.ReadFile(stat)
	if err != nil {
		return 0, 0, false
	}
	text := string(b)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 2 || fields[0] == "Z" {
		return 0, 0, false
	}
	pid, err = strconv.Atoi(filepath.Base(filepath.Dir(stat)))
	if err != nil {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return pid, parent, err == nil
}

// exitStatus is how another process ended; this process must end the same way.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
