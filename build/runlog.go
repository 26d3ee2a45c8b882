package build

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"

	"mtool/inspect"
)

// keptOutput is what is kept of each stream of a command, in bytes.
const keptOutput = 64 << 10

// standardError is its number in what a worker says.
const standardError = 2

// stream is the beginning of what a command printed.
type stream struct {
	kept []byte
	more bool // there was more
}

func (s *stream) add(data []byte) {
	n := min(len(data), keptOutput-len(s.kept))
	s.kept = append(s.kept, data[:n]...)
	s.more = s.more || n < len(data)
}

// hearing is what one solve says of the step that is the command. It may be read after done.
type hearing struct {
	step           string
	emulated       bool
	id             digest.Digest
	limit          time.Duration
	stop           context.CancelCauseFunc
	fetching       *standstill
	done           chan struct{}
	timer          *time.Timer
	start, end     *time.Time
	stdout, stderr stream
}

func newHearing(step string, emulated bool, limit time.Duration, fetching *standstill) *hearing {
	return &hearing{step: step, emulated: emulated, limit: limit, stop: fetching.stop, fetching: fetching, done: make(chan struct{})}
}

// follow takes what is said until the solve closes the channel.
func (h *hearing) follow(status <-chan *client.SolveStatus) {
	defer close(h.done)
	for s := range status {
		h.fetching.hear(s)
		for _, v := range s.Vertexes {
			if v.Name == h.step {
				h.vertex(v)
			}
		}
		for _, l := range s.Logs {
			switch {
			case l.Vertex != h.id:
			case l.Stream == standardError:
				h.stderr.add(l.Data)
			default:
				h.stdout.add(l.Data)
			}
		}
		if signal := h.signal(); signal != "" { // the first program of a container often hangs then instead of ending
			h.stop(inspect.NotRun("it ended by signal " + signal))
		}
	}
	if h.timer != nil {
		h.timer.Stop()
	}
}

// vertex starts the clock when the command starts.
func (h *hearing) vertex(v *client.Vertex) {
	h.id = v.Digest
	if v.Started != nil && h.timer == nil {
		h.timer = time.AfterFunc(h.limit, func() {
			h.stop(inspect.NotRun(fmt.Sprintf("it did not end within %s (--run-timeout)", h.limit)))
		})
	}
	if v.Started != nil {
		h.start, h.end = v.Started, v.Completed
	}
}

func (h *hearing) began() bool { return h.start != nil }

func (h *hearing) took() time.Duration {
	if h.start == nil || h.end == nil {
		return 0
	}
	return h.end.Sub(*h.start)
}

// signal is what QEMU says that has ended the command, or a program that it has started; "" where none is emulated.
func (h *hearing) signal() string {
	if !h.emulated {
		return ""
	}
	return targetSignal([]byte(strings.Join([]string{string(h.stdout.kept), string(h.stderr.kept)}, "\n")))
}
