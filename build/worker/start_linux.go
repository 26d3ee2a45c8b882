package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/user"

	"mtool/build"
)

// Start makes a worker and returns when it is ready to be dialled. It waits for another worker on the same state to end.
// The error is a *build.WorkerError where this machine can't have a worker, and wraps ctx's when that ends first.
func Start(ctx context.Context, o build.WorkerOptions) (*Process, error) {
	who, err := thisCaller()
	if err != nil {
		return nil, &build.WorkerError{Doing: "starting the worker", Err: err}
	}
	m, note := planMapping(who)
	if note != "" {
		o.Say(note)
	}
	c, err := configure(o, m)
	if err != nil {
		return nil, err
	}
	unfit := make(chan error, 1)
	go func() { unfit <- checkRunc(ctx, c.Runc) }() // while the worker starts: it takes a moment
	p, err := spawn(m)
	if err != nil {
		return nil, explain("starting the worker", err, "/proc/sys")
	}
	if err := p.handshake(ctx, m, c, o); err != nil {
		p.kill()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("starting the worker: %w", ctx.Err())
		}
		return nil, explain("starting the worker", err, "/proc/sys")
	}
	if err := <-unfit; err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func configure(o build.WorkerOptions, m mapping) (config, error) {
	runc, err := findRunc("/usr/sbin", "/sbin") // Debian's places for it, which are not in every user's PATH
	if err != nil {
		return config{}, err
	}
	state, err := filepath.Abs(o.StateDir)
	if err != nil {
		return config{}, err
	}
	root := filepath.Join(state, m.Kind)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return config{}, fmt.Errorf("making the worker's state directory: %w", err)
	}
	return config{
		Root: root, Owner: os.Getpid(), Runc: runc, SingleID: m.Kind == "single",
		Emulators: o.Emulators, HostEntries: o.HostEntries, Insecure: slices.Contains(o.Allow, build.AllowInsecure), PlainHTTP: o.PlainHTTP, SkipVerify: o.SkipVerify, Registries: o.Registries, Proxy: o.Proxy,
	}, nil
}

// configure maps the child's ids and tells it what to be.
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
func (p *Process) handshake(ctx context.Context, m mapping, c config, o build.WorkerOptions) error {
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
			return nil
		}
		o.Say(said.Note)
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
		if out, err := exec.CommandContext(ctx, h.program, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("running %q: %w: %s", strings.Join(append([]string{h.program}, args...), " "), err, strings.TrimSpace(string(out)))
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
