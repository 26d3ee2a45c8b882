package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"mtool/build/advice"
	"mtool/inspect/platform"
	"mtool/registry"
)

// explain turns the failure of a solve into an error with a kind that says what failed.
func (s solve) explain(ctx context.Context, err error, seen *record, d *display) error {
	building := "building " + platform.Format(s.target)
	if c := (*crashError)(nil); errors.As(context.Cause(ctx), &c) && c.target.Equals(s.target) {
		e := s.stepError(c.step, seen, d)
		e.Signal, e.Err = c.signal, c
		return e
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", building, context.Cause(ctx))
	}
	if err := s.lost(err); err != nil {
		return fmt.Errorf("%s: %w", building, err)
	}
	if died := s.worker.err(); died != nil {
		return &WorkerError{Doing: building, Err: died}
	}
	if b := (*baseWarning)(nil); errors.As(err, &b) {
		return fmt.Errorf("%s: %w", building, err)
	}
	step := seen.failed(stepOf(err))
	if image := s.job.Spec.Syntax; step == nil && strings.Contains(err.Error(), "BUILDKIT_SYNTAX") {
		return fmt.Errorf("%s: %w", building, &frontendError{image, err, advice.Of(advice.BuiltinSyntax)})
	}
	if step == nil {
		return fmt.Errorf("%s: %w", building, err)
	}
	if name, ok := strings.CutPrefix(step.Name, "[internal] load metadata for "); ok {
		return fmt.Errorf("%s: %w", building, newBaseError(name, err))
	}
	e := s.stepError(*step, seen, d)
	e.Excerpt = excerpt(s.job.Spec.Dockerfile, err)
	if exit := (*gateway.ExitError)(nil); errors.As(err, &exit) {
		e.Exit, e.Err = int(exit.ExitCode), err
	} else {
		e.Err = cmp.Or(missingFile(step.Name, err), namedOwner(step.Name, err),
			deviceIn(ctx, step.Name, err, s.job.Spec.Context, s.worker.noDevices()), deviceOut(err),
			ofKind(step.Name, err, seen))
	}
	if s.worker.embedded() {
		e.help = help(step.Name, e.Err, e.Log)
	} else {
		return fmt.Errorf("on worker %q: %w", s.worker.Addr, e)
	}
	return e
}

// stepError returns the failure of a step without its cause.
func (s solve) stepError(step client.Vertex, seen *record, d *display) *StepError {
	on := s.platformOf(step.Name)
	emulator := ""
	if isRun(step.Name) {
		emulator = s.worker.emulator(on)
	}
	return &StepError{
		Platform: on, Ran: isRun(step.Name), Emulator: emulator, QEMU: s.worker.version(emulator),
		Step: step.Name, Exit: -1, Log: seen.tail(step.Digest), Shown: !d.quiet,
	}
}

// lost returns the error for a remote worker that disappeared during a build.
func (s solve) lost(err error) error {
	if s.worker.embedded() || status.Code(err) != codes.Unavailable {
		return nil
	}
	return &unreachableError{
		addr: s.worker.Addr, err: err, kind: registry.ErrUnavailable,
		why: "it went away in the middle of the build", Advice: advice.Of(advice.WorkerLog),
	}
}

// stepOf returns the step that failed according to BuildKit.
func stepOf(err error) digest.Digest {
	if v := (*errdefs.VertexError)(nil); errors.As(err, &v) {
		return digest.Digest(v.Digest)
	}
	return ""
}

// platformOf returns the platform of a step: that of its stage, which its name starts with if there are several:
// "[build 2/3] RUN make".
func (s solve) platformOf(step string) v1.Platform {
	stage, _, _ := strings.Cut(strings.TrimPrefix(step, "["), " ")
	if p, ok := s.requirements.Stages[stage]; ok {
		return p
	}
	return s.target
}

// crashError ends a build whose emulator reported a crash: what follows is seldom right and often hangs.
type crashError struct {
	target v1.Platform
	step   client.Vertex
	signal string
}

func (e *crashError) Error() string { return "uncaught target signal " + e.signal }

// onCrash stops the solve if the step is emulated.
func (s solve) onCrash(stop context.CancelCauseFunc) func(client.Vertex, string) {
	return func(step client.Vertex, signal string) {
		if s.worker.emulator(s.platformOf(step.Name)) != "" {
			stop(&crashError{s.target, step, signal})
		}
	}
}

// missingFileError is a file that COPY or ADD names and that is not where it is looked for.
type missingFileError struct {
	file, from string // from is a stage, an image or a named context; "" for the build context
	err        error  // BuildKit's
}

func (e *missingFileError) Error() string {
	if e.from != "" {
		return fmt.Sprintf("%s is not in %q", e.file, e.from)
	}
	return e.file + " is not in the build context (or .dockerignore excludes it)"
}

func (e *missingFileError) Unwrap() error { return e.err }

// missingFile returns what BuildKit says of such a file, as a checksum that could not be made; nil where err is
// another.
func missingFile(step string, err error) error {
	words := regexp.MustCompile(`failed to calculate checksum of ref \S+: (".*"): not found`).FindStringSubmatch(err.Error())
	if words == nil {
		return nil
	}
	e := &missingFileError{file: words[1], err: err}
	if from := regexp.MustCompile(` --from=(\S+)`).FindStringSubmatch(step); from != nil {
		e.from = from[1]
	}
	return e
}
