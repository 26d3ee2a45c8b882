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

// keptOutput limits the bytes kept of each stream of a command.
const keptOutput = 64 << 10

// standardError is the stream's number in a worker's log.
const standardError = 2

// stream is the beginning of a command's output.
type stream struct {
	kept []byte
	more bool // there was more
}

func (s *stream) add(data []byte) {
	n := min(len(data), keptOutput-len(s.kept))
	s.kept = append(s.kept, data[:n]...)
	s.more = s.more || n < len(data)
}

// runLog is the log of the step that runs the command. It may be read after done.
type runLog struct {
	step           string
	emulated       bool
	id             digest.Digest
	limit          time.Duration
	stop           context.CancelCauseFunc
	fetching       *stallTimeout
	done           chan struct{}
	timer          *time.Timer
	start, end     *time.Time
	stdout, stderr stream
}

func newRunLog(step string, emulated bool, limit time.Duration, fetching *stallTimeout) *runLog {
	return &runLog{
		step: step, emulated: emulated, limit: limit, stop: fetching.stop, fetching: fetching,
		done: make(chan struct{}),
	}
}

// follow reads the status until the solve closes the channel.
func (h *runLog) follow(status <-chan *client.SolveStatus) {
	defer close(h.done)
	for s := range status {
		h.fetching.update(s)
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
		if signal := h.signal(); signal != "" { // the first program of a container then often hangs instead of ending
			h.stop(inspect.NotRun("it ended by signal " + signal))
		}
	}
	if h.timer != nil {
		h.timer.Stop()
	}
}

// vertex starts the clock when the command starts.
func (h *runLog) vertex(v *client.Vertex) {
	h.id = v.Digest
	if v.Started != nil && h.timer == nil {
		h.timer = time.AfterFunc(h.limit, func() {
			h.stop(inspect.NotRun(fmt.Sprintf("it did not end within %s", h.limit)))
		})
	}
	if v.Started != nil {
		h.start, h.end = v.Started, v.Completed
	}
}

func (h *runLog) began() bool { return h.start != nil }

func (h *runLog) took() time.Duration {
	if h.start == nil || h.end == nil {
		return 0
	}
	return h.end.Sub(*h.start)
}

// signal returns the signal that, by QEMU's message, ended the command or a program that it started; "" if nothing is
// emulated.
func (h *runLog) signal() string {
	if !h.emulated {
		return ""
	}
	return targetSignal([]byte(strings.Join([]string{string(h.stdout.kept), string(h.stderr.kept)}, "\n")))
}
