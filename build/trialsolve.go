package build

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"mtool/build/advice"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// defaultPath is Docker's default PATH, for images without one.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// trial is one command in one image, on the worker that runs it.
type trial struct {
	inspect.Trial
	worker  *worker
	limit   time.Duration
	options Options
	dir     string // for images that the worker gets from this side
}

// outcome runs the command. It returns an error only if ctx is done.
func (t trial) outcome(ctx context.Context) (inspect.Outcome, error) {
	o := inspect.Outcome{Exit: -1, Emulator: t.worker.emulator(t.Image.Platform())}
	if !t.worker.embedded() {
		o.Worker = t.worker.Addr
	}
	state, stores, err := t.image(ctx)
	if err == nil {
		err = t.solve(ctx, state, stores, &o)
	}
	if ctx.Err() != nil {
		return o, context.Cause(ctx)
	}
	o.Err = err
	return o, nil
}

func (t trial) solve(ctx context.Context, state llb.State, stores map[string]content.Store, o *inspect.Outcome) error {
	def, err := state.Run(t.request()...).Root().Marshal(ctx, llb.Platform(spec(t.Image.Platform())))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	heard := newRunLog(t.step(), o.Emulator != "", t.limit, t.worker.watchTransfers(t.options, stop))
	go t.worker.heartbeat(ctx, stop)
	opt := client.SolveOpt{Session: []session.Attachable{credentials(t.options)}, OCIStores: stores}
	status := make(chan *client.SolveStatus)
	go heard.follow(status)
	_, err = t.worker.client.Solve(ctx, def, opt, status)
	<-heard.done
	o.Stdout, o.Stderr, o.Truncated, o.Took = heard.stdout.kept, heard.stderr.kept, heard.stdout.more ||
		heard.stderr.more, heard.took()
	if signal := heard.signal(); signal != "" {
		return t.crash(o.Emulator, "an uncaught target signal "+signal)
	}
	if err == nil {
		o.Exit = 0
		return nil
	}
	return t.explain(ctx, err, heard, o)
}

// crash returns an error that blames QEMU, which is the likely culprit.
func (t trial) crash(emulator, how string) error {
	qemu := strings.TrimSpace(emulator + " " + t.worker.version(emulator))
	return &WorkerError{
		Doing: "running a program of " + platform.Format(t.Image.Platform()),
		Err:   fmt.Errorf("qemu-%s crashed: %s", qemu, how), Advice: advice.Of(advice.NewerQEMU),
	}
}

// step returns the worker's name for the command.
func (t trial) step() string { return "run " + t.Image.Manifest.Digest.String() }

// request runs the command as the image's programs run. It has no network, and what it writes is discarded.
func (t trial) request() []llb.RunOption {
	all := []llb.RunOption{
		llb.Args(t.Command), llb.IgnoreCache, llb.Network(pb.NetMode_NONE), llb.WithCustomName(t.step()),
		llb.Platform(spec(t.Image.Platform())),
		llb.AddEnv("PATH", defaultPath),
	}
	for _, kv := range t.Env {
		if key, value, ok := strings.Cut(kv, "="); ok {
			all = append(all, llb.AddEnv(key, value))
		}
	}
	if t.Dir != "" {
		all = append(all, llb.Dir(t.Dir))
	}
	if t.User != "" {
		all = append(all, llb.User(t.User))
	}
	return all
}

// explain sets the exit code, or says why there is none: a mismatch if the command or the image is to blame.
func (t trial) explain(ctx context.Context, err error, heard *runLog, o *inspect.Outcome) error {
	running := "running a program of " + platform.Format(t.Image.Platform())
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if !t.worker.embedded() && status.Code(err) == codes.Unavailable {
		return &unreachableError{
			addr: t.worker.Addr, err: err, kind: registry.ErrUnavailable,
			why: "it went away while the command ran", Advice: advice.Of(advice.WorkerLog),
		}
	}
	if died := t.worker.err(); died != nil {
		return &WorkerError{Doing: running, Err: died}
	}
	exit, ended := exitCode(err)
	switch {
	case !heard.began() && strings.Contains(err.Error(), "capability "+string(pb.CapSourceOCILayout)):
		return &WorkerError{
			Doing: running, Err: fmt.Errorf("%s takes images of registries and its own alone", t.worker),
			Advice: advice.Of(advice.PublishFirst),
		}
	case !heard.began():
		return &pullError{err, kindOfPull(err)}
	case !ended && strings.Contains(err.Error(), "failed to compute cache key: ") && kindOf(err) != nil:
		return &pullError{err, kindOf(err)} // a layer is fetched only after the step has started
	case !ended:
		return inspect.NotRun("it could not be started: " + reasonOf(err))
	}
	if crashed := (&StepError{Emulator: o.Emulator, Exit: exit}); crashed.Crashed() {
		return t.crash(o.Emulator, fmt.Sprintf("exit code %d", exit))
	}
	o.Exit = exit
	return nil
}

// exitCode returns the command's exit code, if it has one. Docker Engine before 23.0 has it only in the message. So
// does every BuildKit for 255, which is also its number for an unknown exit status.
func exitCode(err error) (int, bool) {
	if exit := (*gateway.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode != gateway.UnknownExitStatus {
		return int(exit.ExitCode), true
	}
	const words = ": exit code: "
	text := err.Error()
	at := strings.LastIndex(text, words)
	if at < 0 {
		return 0, false
	}
	code, err := strconv.Atoi(text[at+len(words):])
	return code, err == nil
}

// reasonOf returns the end of an error chain from the worker: "exec: \"x\": executable file not found in $PATH".
func reasonOf(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, "unable to start container process: "); ok {
		return after
	}
	return text
}

// pullError means that the worker can't get an image.
type pullError struct{ err, kind error }

func kindOfPull(err error) error {
	if e := (*baseError)(nil); errors.As(newBaseError("", err), &e) {
		return e.kind
	}
	return registry.ErrUnavailable
}

func (e *pullError) Error() string   { return "the worker can't have the image: " + e.err.Error() }
func (e *pullError) Unwrap() []error { return []error{e.kind, e.err} }

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
