package build

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/util/progress/progressui"
	digest "github.com/opencontainers/go-digest"

	"mtool/inspect/platform"
	"mtool/registry"
)

const (
	logLines = 20
	logBytes = 16 << 10
)

// record is the progress of one solve, as far as error messages need it. It may be read after wait.
type record struct {
	done     chan struct{}
	steps    []*client.Vertex // in the order of their first mention
	logs     map[digest.Digest][]byte
	warnings []*client.VertexWarning
	fetching *stallTimeout
	onUpdate func(client.Vertex)         // called when a step has news; may be nil
	onCrash  func(client.Vertex, string) // called with the signal that ended an emulated program; may be nil
}

func newRecord(fetching *stallTimeout) *record {
	return &record{done: make(chan struct{}), logs: map[digest.Digest][]byte{}, fetching: fetching}
}

func (r *record) wait() { <-r.done }

func (r *record) add(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		if old := r.step(v.Digest); old != nil {
			*old = *v
			continue
		}
		c := *v
		r.steps = append(r.steps, &c)
	}
	for _, l := range s.Logs {
		b := append(r.logs[l.Vertex], l.Data...)
		r.listen(l.Vertex, b, len(l.Data))
		r.logs[l.Vertex] = b[max(0, len(b)-logBytes):]
	}
	r.warnings = append(r.warnings, s.Warnings...)
	if r.fetching.update(s) && r.onUpdate != nil {
		r.onUpdate(r.running())
	}
}

// images returns the images that the solve uses.
func (r *record) images() (names []string) {
	for _, v := range r.steps {
		place, rest, _ := strings.Cut(v.Name, "] ")
		name, from := strings.CutPrefix(rest, "FROM ")
		if from || strings.HasPrefix(place, "[context ") && !strings.HasPrefix(rest, "load ") {
			names = append(names, fmt.Sprintf("%q", name))
		}
	}
	return names
}

// running returns the step that started last and has not ended.
func (r *record) running() client.Vertex {
	for _, v := range slices.Backward(r.steps) {
		if v.Started != nil && v.Completed == nil {
			return *v
		}
	}
	return client.Vertex{}
}

// listen looks for QEMU's message in the last fresh bytes of a step's log; a line may come in pieces.
func (r *record) listen(d digest.Digest, log []byte, fresh int) {
	const longest = 128
	if signal := targetSignal(log[max(0, len(log)-fresh-longest):]); signal != "" && r.onCrash != nil {
		if v := r.step(d); v != nil {
			r.onCrash(*v, signal)
		}
	}
}

// targetSignal reads "qemu: uncaught target signal 11 (Segmentation fault) - core dumped", as printed by
// linux-user/signal.c.
func targetSignal(log []byte) string {
	_, after, ok := strings.Cut(string(log), "qemu: uncaught target signal ")
	end := strings.IndexByte(after, ')')
	if !ok || end < 0 {
		return ""
	}
	return after[:end+1]
}

func (r *record) step(d digest.Digest) *client.Vertex {
	for _, v := range r.steps {
		if v.Digest == d {
			return v
		}
	}
	return nil
}

// failed returns the step with digest d or else the first that failed by itself.
func (r *record) failed(d digest.Digest) *client.Vertex {
	if v := r.step(d); v != nil {
		return v
	}
	for _, v := range r.steps {
		if v.Error != "" && !strings.HasSuffix(v.Error, "context canceled") { // BuildKit sends only the text
			return v
		}
	}
	return nil
}

// tail returns the end of a step's output.
func (r *record) tail(d digest.Digest) []string {
	text := strings.TrimRight(string(r.logs[d]), "\r\n \t")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-logLines):]
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, "\r")
	}
	return lines
}

// wrongBase returns an error if the registry's base image has another platform than requested: BuildKit only warns
// and builds on it. The result would be an image that claims one platform and has another's files.
func (r *record) wrongBase() error {
	for _, w := range r.warnings {
		if strings.HasPrefix(string(w.Short), linter.RuleInvalidBaseImagePlatform.Name) {
			return &baseWarning{text: string(w.Short)}
		}
	}
	return nil
}

// baseWarning is BuildKit's warning about a base image of another platform.
type baseWarning struct{ text string }

func (e *baseWarning) Error() string { return e.text }

func (e *baseWarning) Unwrap() error { return registry.ErrNotFound }

// display shows several solves as one.
type display struct {
	many   bool // then step names start with the platform
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

// follow returns the channel for the status of one solve, which the solve closes. Updates are recorded, then shown.
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
	unique := func(d digest.Digest) digest.Digest { return digest.FromString(prefix + d.String()) }
	out := &client.SolveStatus{}
	for _, v := range s.Vertexes {
		c := *v
		c.Digest, c.Name, c.Inputs = unique(v.Digest), "["+prefix+"] "+v.Name, nil
		for _, i := range v.Inputs {
			c.Inputs = append(c.Inputs, unique(i))
		}
		out.Vertexes = append(out.Vertexes, &c)
	}
	for _, v := range s.Statuses {
		c := *v
		c.Vertex = unique(v.Vertex)
		out.Statuses = append(out.Statuses, &c)
	}
	for _, v := range s.Logs {
		c := *v
		c.Vertex = unique(v.Vertex)
		out.Logs = append(out.Logs, &c)
	}
	for _, v := range s.Warnings {
		c := *v
		c.Vertex = unique(v.Vertex)
		out.Warnings = append(out.Warnings, &c)
	}
	return out
}

// hidePasswords removes passwords from the addresses in the name of a step, which is copied from the Dockerfile: "ADD
// http://…".
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
