package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

// change is a command line that changes something. N stands for the round's number.
type change struct {
	name string
	line string
	// If the command succeeded, the name in made must exist and the one in removed must not. After a kill both are
	// allowed.
	made, removed string
}

// TestKill kills mtool (SIGKILL) at random moments of commands that change something, often while another mtool works
// on the same home: 25 times in `make test`, 300 times in make soak. Afterwards the results of all commands that had
// succeeded can be read, and the killed command succeeds.
func TestKill(t *testing.T) {
	testparts.Need(t, testparts.Slow)
	home := faults.NewHome(t)
	random := rand.New(rand.NewPCG(faults.Seed(t), 1))
	k := &killing{t: t, mtool: faults.Program(t), home: home, random: random, took: map[string]time.Duration{}}
	k.prepare()
	rounds := 25
	if faults.Full() {
		rounds = 300
	}
	for n := range rounds {
		k.round(n)
		if t.Failed() {
			t.Fatalf("in round %d; MTOOL_TEST_SEED above repeats it except for the timing", n)
		}
	}
	t.Logf("%d rounds: %d killed in time, %d ended earlier", rounds, k.killed, k.faster)
	if k.killed < rounds/4 {
		t.Errorf("only %d of %d were killed before they ended: this proves little", k.killed, rounds)
	}
}

type killing struct {
	t              *testing.T
	mtool, home    string
	src, dst       *registrytest.Server
	random         *rand.Rand
	took           map[string]time.Duration
	changes        []change
	last           string // the last number that a successful command put into the draft's annotation
	killed, faster int
}

func (k *killing) prepare() {
	k.src, k.dst = registrytest.New(k.t, registrytest.Options{}), registrytest.New(k.t, registrytest.Options{})
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		b := faults.Image(k.t, "linux/"+arch)
		k.src.Load("demo", arch, b)
		faults.WriteArchive(k.t, filepath.Join(k.home, arch+".tar"), b)
	}
	s, d := k.src.Host(), k.dst.Host()
	k.changes = []change{
		{name: "create", line: "create made:vN " + s + "/demo:amd64 " + s + "/demo:arm64", made: "draft:made:vN"},
		{name: "amend", line: "amend demo:v1 " + s + "/demo:s390x", made: "draft:demo:v1"},
		{name: "annotate", line: "annotate demo:v1 --annotation n=N", made: "draft:demo:v1"},
		{name: "load", line: "load " + k.home + "/amd64.tar -t loaded:vN", made: "store:loaded:vN"},
		{name: "load again", line: "load " + k.home + "/arm64.tar -t kept:v1", made: "store:kept:v1"},
		{name: "push", line: "push demo:v1 " + d + "/demo:vN", made: d + "/demo:vN"},
		{name: "push to the store", line: "push demo:v1 store:pushed:vN", made: "store:pushed:vN"},
		{name: "prune", line: "prune", made: "store:kept:v1"},
		{name: "rm", line: "rm store:gone:v1", removed: "store:gone:v1"},
	}
	if ok, err := testparts.Available(testparts.QEMU); ok && err == nil {
		k.changes = append(k.changes,
			change{
				name: "build", line: "build --arch amd64 --build-arg N=N -t built:vN " + faults.ScratchContext(k.t),
				made: "store:built:vN",
			})
	}
	k.last = "0"
	for _, line := range []string{
		"create demo:v1 " + s + "/demo:amd64 " + s + "/demo:arm64", "annotate demo:v1 --annotation n=0",
		"create other:v1 " + s + "/demo:amd64",
		"load " + k.home + "/arm64.tar -t kept:v1",
	} {
		faults.MustRun(k.t, line)
	}
	for i, d := range k.changes {
		k.setup(d)
		began := time.Now()
		if out, err := faults.Process(k.t.Context(), k.mtool, d.words(-1-i)...); err != nil {
			k.t.Fatalf("%s: %v: %s", d.line, err, out)
		}
		k.took[d.name] = time.Since(began)
		if d.name == "annotate" {
			k.last = fmt.Sprint(-1 - i)
		}
	}
}

func (d change) words(n int) []string { return strings.Fields(numbered(d.line, n)) }

func numbered(s string, n int) string {
	s = strings.ReplaceAll(s, "=N", fmt.Sprintf("=%d", n))
	return strings.ReplaceAll(s, ":vN", fmt.Sprintf(":v%d", n&0xffff))
}

// setup makes the image that the command is going to remove.
func (k *killing) setup(d change) {
	if d.name == "rm" {
		faults.MustRun(k.t, "load "+k.home+"/amd64.tar -t gone:v1")
	}
}

func (k *killing) round(n int) {
	d := k.changes[k.random.IntN(len(k.changes))]
	k.setup(d)
	other := k.runAlongside(n)
	reported := k.kill(d, n)
	if err := <-other; err != nil {
		k.t.Errorf("round %d: at the same time as %s: %v", n, d.name, err)
	}
	k.look(d, n, reported)
	if broken := k.dst.Broken(); len(broken) > 0 {
		k.t.Errorf("round %d: %s published in part: %q", n, d.name, broken)
	}
	faults.MustRun(k.t, "ls")
	k.setup(d)
	faults.MustRun(k.t, strings.Join(d.words(n), " "))
	if d.name == "annotate" {
		k.last = fmt.Sprint(n)
	}
	k.look(d, n, true)
}

// runAlongside runs another command on the same home at the same time. It must succeed.
func (k *killing) runAlongside(n int) <-chan error {
	lines := []string{
		"", "prune", "ls", "annotate other:v1 --annotation n=N", "load " + k.home + "/s390x.tar -t alongside:vN",
		"push other:v1 " + k.dst.Host() + "/other:vN",
	}
	line := numbered(lines[k.random.IntN(len(lines))], n)
	done := make(chan error, 1)
	go func() {
		if line == "" {
			done <- nil
			return
		}
		out, err := faults.Process(context.WithoutCancel(k.t.Context()), k.mtool, strings.Fields(line)...)
		if err != nil {
			err = fmt.Errorf("mtool %s: %w: %s", line, err, out)
		}
		done <- err
	}()
	return done
}

// kill runs the command, kills it at a random moment, and reports whether it had succeeded before.
func (k *killing) kill(d change, n int) bool {
	cmd := exec.Command(k.mtool, d.words(n)...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	limit := k.took[d.name] + k.took[d.name]/5
	timer := time.AfterFunc(time.Duration(k.random.Int64N(int64(limit))), func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	var exit *exec.ExitError
	switch {
	case err == nil:
		k.faster++
		return true
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		k.killed++
		return false
	}
	k.t.Errorf("round %d: mtool %s: %v: %s", n, strings.Join(d.words(n), " "), err, out.String())
	return false
}

// look checks that the results of all successful commands can be read, and the result of d if it succeeded.
func (k *killing) look(d change, n int, reported bool) {
	k.t.Helper()
	for _, name := range []string{"draft:demo:v1", "draft:other:v1", "store:kept:v1"} {
		faults.MustRun(k.t, "inspect "+name)
	}
	if reported && d.made != "" {
		faults.MustRun(k.t, "inspect "+numbered(d.made, n))
	}
	if code, _, stderr := faults.Run(k.t.Context(), "", "inspect", numbered(d.made+d.removed, n)); code != 0 && code != 4 {
		k.t.Errorf("round %d: after %s: %s", n, d.name, stderr)
	} else if reported && d.removed != "" && code != 4 {
		k.t.Errorf("round %d: %s is still there", n, d.removed)
	}
	raw := faults.MustRun(k.t, "inspect --raw draft:demo:v1")
	now := fmt.Sprint(n)
	switch has := func(v string) bool { return strings.Contains(raw, `"n":"`+v+`"`) }; {
	case d.name == "annotate" && has(now):
		k.last = now
	case d.name == "annotate" && reported || !has(k.last):
		k.t.Errorf("round %d: after %s: the draft does not have n=%s (or %s): %s", n, d.name, k.last, now, raw)
	}
}
