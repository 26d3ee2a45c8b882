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

// deed is a command line that changes something. N stands for the round's number.
type deed struct {
	name string
	line string
	// Once the command was reported done, the name in done must exist, the one in undone must not. After a kill both are
	// allowed.
	done, undone string
}

// TestKill kills mtool (SIGKILL) at random moments of commands that change something, often while another mtool works
// on the same home: 25 times in `make test`, 300 times in make soak. Afterwards everything can be read and has what was
// last reported done, and the same command succeeds.
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
			t.Fatalf("in round %d; MTOOL_TEST_SEED above repeats it, but for the timing", n)
		}
	}
	t.Logf("%d rounds: %d killed in time, %d ended before", rounds, k.killed, k.faster)
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
	deeds          []deed
	last           string // the last number in the draft's annotation that was reported done
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
	k.deeds = []deed{
		{name: "create", line: "create made:vN " + s + "/demo:amd64 " + s + "/demo:arm64", done: "draft:made:vN"},
		{name: "amend", line: "amend demo:v1 " + s + "/demo:s390x", done: "draft:demo:v1"},
		{name: "annotate", line: "annotate demo:v1 --annotation n=N", done: "draft:demo:v1"},
		{name: "load", line: "load " + k.home + "/amd64.tar -t loaded:vN", done: "store:loaded:vN"},
		{name: "load again", line: "load " + k.home + "/arm64.tar -t kept:v1", done: "store:kept:v1"},
		{name: "push", line: "push demo:v1 " + d + "/demo:vN", done: d + "/demo:vN"},
		{name: "push to the store", line: "push demo:v1 store:pushed:vN", done: "store:pushed:vN"},
		{name: "prune", line: "prune", done: "store:kept:v1"},
		{name: "rm", line: "rm store:gone:v1", undone: "store:gone:v1"},
	}
	if ok, err := testparts.Available(testparts.QEMU); ok && err == nil {
		k.deeds = append(k.deeds,
			deed{
				name: "build", line: "build --arch amd64 --build-arg N=N -t built:vN " + faults.ScratchContext(k.t),
				done: "store:built:vN",
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
	for i, d := range k.deeds {
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

func (d deed) words(n int) []string { return strings.Fields(numbered(d.line, n)) }

func numbered(s string, n int) string {
	s = strings.ReplaceAll(s, "=N", fmt.Sprintf("=%d", n))
	return strings.ReplaceAll(s, ":vN", fmt.Sprintf(":v%d", n&0xffff))
}

// setup makes what the command is going to remove.
func (k *killing) setup(d deed) {
	if d.name == "rm" {
		faults.MustRun(k.t, "load "+k.home+"/amd64.tar -t gone:v1")
	}
}

func (k *killing) round(n int) {
	d := k.deeds[k.random.IntN(len(k.deeds))]
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

// kill reports whether the command was reported done before it was killed.
func (k *killing) kill(d deed, n int) bool {
	cmd := exec.Command(k.mtool, d.words(n)...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
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
	k.t.Errorf("round %d: mtool %s: %v: %s", n, strings.Join(d.words(n), " "), err, said.String())
	return false
}

// look checks that everything that was reported done before can be read, and what d does if that was reported.
func (k *killing) look(d deed, n int, reported bool) {
	k.t.Helper()
	for _, name := range []string{"draft:demo:v1", "draft:other:v1", "store:kept:v1"} {
		faults.MustRun(k.t, "inspect "+name)
	}
	if reported && d.done != "" {
		faults.MustRun(k.t, "inspect "+numbered(d.done, n))
	}
	if code, _, stderr := faults.Run(k.t.Context(), "", "inspect", numbered(d.done+d.undone, n)); code != 0 && code != 4 {
		k.t.Errorf("round %d: after %s: %s", n, d.name, stderr)
	} else if reported && d.undone != "" && code != 4 {
		k.t.Errorf("round %d: %s is still there", n, d.undone)
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
