package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver/pb"
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

// fetched reports whether the worker fetches the image from its registry, as it does base images.
func fetched(t inspect.Trial) bool { return t.From.Transport == registry.TransportRegistry }

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

// image returns the root file system of a trial, and the store from which the worker gets it unless it fetches it.
func (t trial) image(ctx context.Context) (llb.State, map[string]content.Store, error) {
	p := llb.Platform(spec(t.Image.Platform()))
	digest := t.Image.Manifest.Digest
	switch {
	case fetched(t.Trial):
		return llb.Image(t.From.Repository()+"@"+digest.String(), p), nil, nil
	// the engine has the image, and accepts none from this side
	case t.From.Transport == registry.TransportEngine && t.worker.engine != nil:
		return llb.Image(t.From.Name(), p, llb.ResolveModePreferLocal), nil, nil
	}
	dir, err := t.layout(ctx)
	if err != nil {
		return llb.State{}, nil, err
	}
	blobs, err := readOnly(dir, t.dir)
	if err != nil {
		return llb.State{}, nil, err
	}
	const id = "image"
	return llb.OCILayout(id+"/image@"+digest.String(), llb.OCIStore("", id), p), map[string]content.Store{id: blobs}, nil
}

// layout returns the OCI layout that holds the image: in place, or a copy from an archive or an engine.
func (t trial) layout(ctx context.Context) (string, error) {
	switch t.From.Transport {
	case registry.TransportStore:
		return t.options.Store.Dir(), nil
	case registry.TransportLayout:
		return t.From.Path, nil
	case registry.TransportRegistry, registry.TransportArchive, registry.TransportDockerArchive, registry.TransportEngine,
		registry.TransportDraft:
	}
	dir, err := os.MkdirTemp(t.dir, "image-")
	if err != nil {
		return "", err
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return "", err
	}
	if _, err := writeBlob(blobs, bytes.NewReader(t.Image.Manifest.Body), false); err != nil {
		return "", err
	}
	for _, d := range t.Image.Blobs() {
		if _, err := moveBlob(ctx, t.Image.Source, d, blobs, false); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func (t trial) solve(ctx context.Context, state llb.State, stores map[string]content.Store, o *inspect.Outcome) error {
	def, err := state.Run(t.request()...).Root().Marshal(ctx, llb.Platform(spec(t.Image.Platform())))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	output := newRunLog(t.step(), o.Emulator != "", t.limit, t.worker.watchTransfers(t.options, stop))
	go t.worker.heartbeat(ctx, stop)
	opt := client.SolveOpt{Session: []session.Attachable{credentials(t.options)}, OCIStores: stores}
	status := make(chan *client.SolveStatus)
	go output.follow(status)
	_, err = t.worker.client.Solve(ctx, def, opt, status)
	<-output.done
	o.Stdout, o.Stderr, o.Truncated, o.Took = output.stdout.kept, output.stderr.kept, output.stdout.more ||
		output.stderr.more, output.took()
	if signal := output.signal(); signal != "" {
		return t.crash(o.Emulator, "an uncaught target signal "+signal)
	}
	if err == nil {
		o.Exit = 0
		return nil
	}
	return t.explain(ctx, err, output, o)
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

// explain sets the exit code, or returns why there is none: a mismatch if the command or the image is to blame.
func (t trial) explain(ctx context.Context, err error, output *runLog, o *inspect.Outcome) error {
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
	case !output.began() && strings.Contains(err.Error(), "capability "+string(pb.CapSourceOCILayout)):
		return &WorkerError{
			Doing: running, Err: fmt.Errorf("%s takes images only from registries and from its own store", t.worker),
			Advice: advice.Of(advice.PublishFirst),
		}
	case !output.began():
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

func (e *pullError) Error() string   { return "the worker can't get the image: " + e.err.Error() }
func (e *pullError) Unwrap() []error { return []error{e.kind, e.err} }
