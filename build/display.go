package build

import (
	"context"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	digest "github.com/opencontainers/go-digest"

	"mtool/inspect/platform"
	"mtool/registry"
)

// display shows several solves as one.
type display struct {
	many   bool // then a step's name starts with its platform
	quiet  bool
	merged chan *client.SolveStatus
	done   chan struct{}
}

func newDisplay(s Spec) (*display, error) {
	ui, err := progressui.NewDisplay(s.Out, progressui.DisplayMode(s.Progress))
	if err != nil {
		return nil, registry.Usagef("progress %q: %w", s.Progress, err)
	}
	d := &display{
		many: len(s.Platforms) > 1, quiet: s.Progress == "quiet",
		merged: make(chan *client.SolveStatus), done: make(chan struct{}),
	}
	go func() {
		defer close(d.done)
		_, _ = ui.UpdateFrom(context.Background(), d.merged) // ends when merged is closed; it has no other error
	}()
	return d, nil
}

// follow returns the channel for the status of one solve, which the solve closes. What comes is recorded, then shown.
func (d *display) follow(p v1.Platform, seen *record) chan *client.SolveStatus {
	in := make(chan *client.SolveStatus)
	go func() {
		defer close(seen.done)
		for s := range in {
			for _, v := range s.Vertexes {
				v.Name = hidePasswords(v.Name)
			}
			seen.add(s)
			if d.many {
				s = named(s, platform.Format(p))
			}
			d.merged <- s
		}
	}()
	return in
}

// close waits until everything is shown. No solve may be running.
func (d *display) close() {
	close(d.merged)
	<-d.done
}

// named makes a solve's steps distinct from the same steps of another one, and puts prefix before their names.
func named(s *client.SolveStatus, prefix string) *client.SolveStatus {
	own := func(d digest.Digest) digest.Digest { return digest.FromString(prefix + d.String()) }
	out := &client.SolveStatus{}
	for _, v := range s.Vertexes {
		c := *v
		c.Digest, c.Name, c.Inputs = own(v.Digest), "["+prefix+"] "+v.Name, nil
		for _, i := range v.Inputs {
			c.Inputs = append(c.Inputs, own(i))
		}
		out.Vertexes = append(out.Vertexes, &c)
	}
	for _, v := range s.Statuses {
		c := *v
		c.Vertex = own(v.Vertex)
		out.Statuses = append(out.Statuses, &c)
	}
	for _, v := range s.Logs {
		c := *v
		c.Vertex = own(v.Vertex)
		out.Logs = append(out.Logs, &c)
	}
	for _, v := range s.Warnings {
		c := *v
		c.Vertex = own(v.Vertex)
		out.Warnings = append(out.Warnings, &c)
	}
	return out
}

// hidePasswords takes them out of the addresses in the name of a step, which is what the Dockerfile says: "ADD http://…".
func hidePasswords(step string) string {
	head, rest, found := strings.Cut(step, "://")
	if !found {
		return step
	}
	end := strings.IndexAny(rest+"/", "/ \"'")
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		if name, _, ok := strings.Cut(rest[:at], ":"); ok {
			rest = name + ":xxxxx" + rest[at:]
		}
	}
	return head + "://" + hidePasswords(rest)
}
