package buildkit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"

	"mtool/build"
	"mtool/inspect/platform"
	"mtool/registry"
)

// explain turns the failure of a solve into an error that says what failed, and of which kind it is.
func (s solve) explain(ctx context.Context, err error, seen *record, d *display) error {
	building := "building " + platform.Format(s.target)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", building, ctx.Err())
	}
	if died := s.machine.err(); died != nil {
		return &build.WorkerError{Doing: building, Err: died}
	}
	if b := (*baseWarning)(nil); errors.As(err, &b) {
		return fmt.Errorf("%s: %w", building, err)
	}
	step := seen.failed(stepOf(err))
	if step == nil {
		return fmt.Errorf("%s: %w", building, err)
	}
	if name, ok := strings.CutPrefix(step.Name, "[internal] load metadata for "); ok {
		return fmt.Errorf("%s: %w", building, baseError(name, err))
	}
	on := platformOf(step.Name, s.target)
	e := &build.StepError{Platform: on, Emulator: s.machine.emulator(on), Step: step.Name, Exit: -1, Log: seen.tail(step.Digest), Shown: !d.quiet, Err: err}
	if exit := (*gateway.ExitError)(nil); errors.As(err, &exit) {
		e.Exit = int(exit.ExitCode)
	}
	return e
}

// stepOf is the step that BuildKit says has failed.
func stepOf(err error) digest.Digest {
	if v := (*errdefs.VertexError)(nil); errors.As(err, &v) {
		return digest.Digest(v.Digest)
	}
	return ""
}

// platformOf is the platform of a step: "[linux/amd64 build 2/3] RUN make" says it, where it is not the target's.
func platformOf(step string, target v1.Platform) v1.Platform {
	word, _, _ := strings.Cut(strings.TrimPrefix(step, "["), " ")
	if p, err := platform.Parse(word); err == nil {
		return p
	}
	return target
}

// baseError is a base image that can't be had from its registry.
func baseError(name string, err error) error {
	kind := registry.ErrUnavailable
	switch grpcerrors.Code(err) {
	case codes.NotFound:
		kind = registry.ErrNotFound
	case codes.Unauthenticated, codes.PermissionDenied:
		kind = registry.ErrDenied
	case codes.InvalidArgument:
		kind = registry.ErrName
	}
	return fmt.Errorf("finding base image %q in the store and in its registry: %w: %w", name, kind, err)
}

// baseWarning is BuildKit's warning about a base image of another platform.
type baseWarning struct{ text string }

func (e *baseWarning) Error() string { return e.text }
func (e *baseWarning) Unwrap() error { return registry.ErrNotFound }
