package build

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	digest "github.com/opencontainers/go-digest"
)

const (
	logLines = 20
	logBytes = 16 << 10
)

// record is what one solve said, as far as a failure may need it. It may be read after wait.
type record struct {
	done     chan struct{}
	steps    []*client.Vertex // in the order of their first mention
	logs     map[digest.Digest][]byte
	warnings []*client.VertexWarning
	fetching *standstill
	heard    func(client.Vertex)         // called when a step has something new; nil: nobody listens
	crashed  func(client.Vertex, string) // called with the signal that ended an emulated program; nil: nobody listens
}

func newRecord(fetching *standstill) *record {
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
	if r.fetching.hear(s) && r.heard != nil {
		r.heard(r.running())
	}
}

// images are those that the solve is made of.
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

// running is the step that began last and has not ended.
func (r *record) running() client.Vertex {
	for _, v := range slices.Backward(r.steps) {
		if v.Started != nil && v.Completed == nil {
			return *v
		}
	}
	return client.Vertex{}
}

// listen looks for QEMU's words in the last fresh bytes of a step's log; a line may come in pieces.
func (r *record) listen(d digest.Digest, log []byte, fresh int) {
	const longest = 128
	if signal := targetSignal(log[max(0, len(log)-fresh-longest):]); signal != "" && r.crashed != nil {
		if v := r.step(d); v != nil {
			r.crashed(*v, signal)
		}
	}
}

// targetSignal reads "qemu: uncaught target signal 11 (Segmentation fault) - core dumped", linux-user/signal.c's words.
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

// failed is the step with digest d or, when there is none, the first that failed by itself.
func (r *record) failed(d digest.Digest) *client.Vertex {
	if v := r.step(d); v != nil {
		return v
	}
	for _, v := range r.steps {
		if v.Error != "" && !strings.HasSuffix(v.Error, "context canceled") { // BuildKit sends the text only
			return v
		}
	}
	return nil
}

// tail is the end of what a step printed.
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

// wrongBase is the error for a base image of another platform than asked for, fetched from a registry: BuildKit builds on
// it, and only warns. Without the failure, the result would be an image that says one platform and has another's files.
func (r *record) wrongBase() error {
	for _, w := range r.warnings {
		if strings.HasPrefix(string(w.Short), linter.RuleInvalidBaseImagePlatform.Name) {
			return &baseWarning{text: string(w.Short)}
		}
	}
	return nil
}
