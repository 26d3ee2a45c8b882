//go:build !mips64le

package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/user"

	"mtool/build/advice"
	"mtool/build/emulator"
)

// Start starts a worker and returns when it is ready to be dialled. It waits for another worker on the same state to
// end. The error is a *Error if this machine can't have a worker, and wraps ctx's error if that ends first.
func Start(ctx context.Context, o Options) (*Process, error) {
	me, err := thisCaller()
	if err != nil {
		return nil, &Error{Doing: "starting the worker", Err: err}
	}
	m, note := planMapping(me)
	p, err := begin(ctx, m, note, o)
	if helper, ok := errors.AsType[*helperError](err); ok {
		p, err = begin(ctx, oneID(me), advice.Note{Text: oneIDOnly + helper.Error(), Advice: helper.Advised()}, o)
	}
	if ctx.Err() != nil && err != nil {
		return nil, fmt.Errorf("starting the worker: %w", ctx.Err())
	}
	if w := (*Error)(nil); err != nil && !errors.As(err, &w) {
		return nil, explain("starting the worker", err, thisConfinement())
	}
	return p, err
}

// begin starts a worker with this mapping, without a process sandbox if necessary.
func begin(ctx context.Context, m mapping, note advice.Note, o Options) (*Process, error) {
	if note.Text != "" {
		o.note(note)
	}
	c, err := configure(o, m)
	if err != nil {
		return nil, err
	}
	unfit := make(chan error, 1)
	go func() { unfit <- checkRunc(ctx, c.Runc) }() // in parallel with the worker's start
	if c.Shared {
		o.say(sharing)
	}
	if c.Insecure && m.Kind == "root" {
		o.say(becoming)
	}
	p, err := c.start(ctx, m, o)
	if masked(err) {
		if p, err = nil, mayShare(o); err == nil {
			o.note(advice.Note{
				Text: sharing + ", since this container hides parts of /proc", Advice: advice.Of(advice.ShowProc),
			})
			c.Shared, c.Env = true, keptEnv(os.Environ())
			p, err = c.start(ctx, m, o)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := <-unfit; err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

const (
	sharing = "RUN steps see the processes around them, mtool's and each other's"
	// The kernel checks the owner of these files, not a capability.
	becoming = "insecure RUN steps of root's build may write to this machine's /proc/sys, and so become its root"
)

// start starts a worker once.
func (c config) start(ctx context.Context, m mapping, o Options) (*Process, error) {
	p, err := spawn(m, c.Shared)
	if err != nil {
		return nil, err
	}
	if err := p.handshake(ctx, m, c, o); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// masked reports whether the kernel forbids a new /proc because the existing one has hidden parts.
func masked(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.Masked
}

// mayShare refuses a shared /proc if steps may have all capabilities: they could read the worker's memory.
func mayShare(o Options) error {
	if !slices.Contains(o.Allow, AllowInsecure) {
		return nil
	}
	return &failure{
		Doing:  "allowing " + AllowInsecure,
		Why:    "this container hides parts of /proc, so steps see the worker's process, and could read its memory",
		Advice: advice.Of(advice.ShowProc),
	}
}

func configure(o Options, m mapping) (config, error) {
	runc, err := findRunc("/usr/sbin", "/sbin") // Debian's places for it, which are not in every user's PATH
	if err != nil {
		return config{}, err
	}
	state, err := filepath.Abs(o.StateDir)
	if err != nil {
		return config{}, err
	}
	root, fresh := stateDir(state, m)
	if unused := others(root, m); fresh && len(unused) > 0 {
		o.say(emptyCache(root, unused))
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return config{}, &failure{
			Doing: "making the worker's state directory", Why: err.Error(),
			Advice: advice.Say("MTOOL_HOME=DIR names another place for mtool's files"),
		}
	}
	c := config{
		Root: root, OldRoot: oldDir(state, m), Owner: os.Getpid(), Runc: runc, SingleID: m.Kind == "single",
		Shared: o.NoProcessSandbox,
		Host:   o.Host, Emulators: o.Emulators, HostEntries: o.HostEntries, Insecure: slices.Contains(o.Allow, AllowInsecure),
		OwnNetwork: o.OwnNetwork, HostGateway: o.HostGateway, Proxies: o.Proxies,
		Registries: o.Registries, MaxParallelism: cmp.Or(o.MaxParallelism, runtime.NumCPU()),
	}
	if c.Host.Platform.OS == "" {
		c.Host = emulator.Detect()
	}
	if c.Shared {
		c.Env = keptEnv(os.Environ())
	}
	return c, nil
}

// configure maps the child's ids and sends its configuration.
func (p *Process) configure(ctx context.Context, m mapping, c config) error {
	if m.Helpers {
		if err := mapIDs(ctx, p.cmd.Process.Pid, m); err != nil {
			return err
		}
		if _, err := p.control.Write([]byte{goOn}); err != nil {
			return p.gone(err)
		}
	}
	if err := json.NewEncoder(p.control).Encode(c); err != nil {
		return p.gone(err)
	}
	return nil
}

// handshake configures the child and waits until it is ready.
func (p *Process) handshake(ctx context.Context, m mapping, c config, o Options) error {
	defer context.AfterFunc(ctx, func() { _ = p.control.SetDeadline(time.Now()) })()
	if err := p.configure(ctx, m, c); err != nil {
		return err
	}
	for answers := json.NewDecoder(p.control); ; {
		var said message
		switch err := answers.Decode(&said); {
		case err != nil:
			return p.gone(err)
		case said.Failed != nil:
			return said.Failed
		case said.Ready:
			if said.NoDevices != "" {
				p.noDevices = errors.New(said.NoDevices)
			}
			return nil
		}
		o.say(said.Note)
	}
}

// mapIDs lets the set-user-id helpers write the maps of process pid.
func mapIDs(ctx context.Context, pid int, m mapping) error {
	for _, h := range []struct {
		program string
		maps    []user.IDMap
	}{{"newuidmap", m.UIDs}, {"newgidmap", m.GIDs}} {
		args := []string{strconv.Itoa(pid)}
		for _, r := range h.maps {
			args = append(args, fmt.Sprint(r.ID), fmt.Sprint(r.ParentID), fmt.Sprint(r.Count))
		}
		out, err := exec.CommandContext(ctx, h.program, args...).CombinedOutput()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &helperError{program: h.program, err: err, said: strings.TrimSpace(string(out)), here: thisConfinement()}
		}
	}
	return nil
}

// gone explains a control connection that broke.
func (p *Process) gone(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if died := p.Err(); died != nil {
		return died
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the worker hung up")
	}
	return fmt.Errorf("talking to the worker: %w", err)
}

// helperError means that newuidmap or newgidmap failed.
type helperError struct {
	program, said string
	err           error
	here          confinement
}

func (e *helperError) Error() string {
	return fmt.Sprintf("running %s: %v: %s", e.program, e.err, e.said)
}

// Advised returns what would help: a set-user-id program needs SYS_ADMIN; one with a file capability does not.
func (e *helperError) Advised() advice.Advice {
	if e.here.bounded(capSysAdmin) {
		return advice.Of(advice.MapPrivilege, e.program)
	}
	return advice.Advice{}
}

func (e *helperError) Unwrap() error { return e.err }
