package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	if exit := (*gateway.ExitError)(nil); errors.As(err, &exit) {
		e.Exit, e.Err = int(exit.ExitCode), err
	} else {
		if e.Err = missingFile(step.Name, err); e.Err != nil {
			e.Excerpt = excerpt(err)
		}
		e.Err = cmp.Or(e.Err, deviceIn(ctx, step.Name, err, s.job.Spec.Context, s.worker.noDevices()), deviceOut(err),
			ofKind(step.Name, err, seen))
	}
	if !s.worker.embedded() {
		return fmt.Errorf("on worker %q: %w", s.worker.Addr, e)
	}
	return e
}

// stepError returns the failure of a step without its cause.
func (s solve) stepError(step client.Vertex, seen *record, d *display) *StepError {
	on := s.platformOf(step.Name)
	emulator := ""
	if !strings.Contains(step.Name, "] ADD ") && !strings.Contains(step.Name, "] COPY ") { // those run no program
		emulator = s.worker.emulator(on)
	}
	return &StepError{
		Platform: on, Emulator: emulator, QEMU: s.worker.version(emulator),
		Step: step.Name, Exit: -1, Log: seen.tail(step.Digest), Shown: !d.quiet,
	}
}

// ofKind adds a kind to err if something could not be fetched.
func ofKind(step string, err error, seen *record) error {
	if !fetches(step) && fetchesLate(err) {
		return fmt.Errorf("%w: fetching a layer of %s: %w", cmp.Or(kindOf(err), registry.ErrUnavailable),
			strings.Join(seen.images(), " or "), err)
	}
	if kind := kindOfFetch(step, err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

// fetchesLate reports whether err is about a layer, which is fetched by the first step, or export, that needs it.
func fetchesLate(err error) bool {
	for _, words := range []string{"failed to copy: ", "short read: expected ", "unexpected commit digest "} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// kindOfFetch returns why a step could not fetch something; nil if it fetches nothing, or failed otherwise.
func kindOfFetch(step string, err error) error {
	if !fetches(step) && !strings.Contains(step, "://") {
		return nil
	}
	kind := kindOf(err)
	if !fetches(step) && strings.Contains(err.Error(), ": not found") {
		return nil // a program of this machine, for one
	}
	if kind == nil && strings.HasPrefix(step, "exporting cache to registry") {
		return registry.ErrRefused // the registry's own text
	}
	return kind
}

// kindOf finds the kind in the messages of Go's network, containerd and BuildKit's HTTP source, since a worker passes
// on text and no code; nil if none matches.
func kindOf(err error) error {
	for _, w := range []struct {
		word string
		kind error
	}{
		{"401 Unauthorized", registry.ErrDenied},
		{"403 Forbidden", registry.ErrDenied},
		{"invalid response status 401", registry.ErrDenied},
		{"invalid response status 403", registry.ErrDenied},
		{"pull access denied", registry.ErrDenied},
		{"insufficient_scope", registry.ErrDenied},
		{"x509: ", registry.ErrDenied},
		{passwordBare, registry.ErrDenied},
		{"nothing moved for ", registry.ErrUnavailable},
		{"connection refused", registry.ErrUnavailable},
		{"connection reset by peer", registry.ErrUnavailable},
		{"no such host", registry.ErrUnavailable},
		{"stopped after 10 redirects", registry.ErrUnavailable},
		{"unexpected EOF", registry.ErrUnavailable},
		{": EOF", registry.ErrUnavailable},
		{"use of closed network connection", registry.ErrUnavailable},
		{"invalid response status 5", registry.ErrUnavailable},
		{": 408 Request Timeout", registry.ErrUnavailable},
		{": 429 Too Many Requests", registry.ErrUnavailable},
		{": 500 Internal Server Error", registry.ErrUnavailable},
		{": 502 Bad Gateway", registry.ErrUnavailable},
		{": 503 Service Unavailable", registry.ErrUnavailable},
		{": 504 Gateway Timeout", registry.ErrUnavailable},
		{"unexpected commit digest", registry.ErrContent},
		{"failed size validation", registry.ErrContent},
		{": not found", registry.ErrNotFound},
		{"invalid response status 404", registry.ErrNotFound},
		{"invalid reference format", registry.ErrName},
	} {
		if strings.Contains(err.Error(), w.word) {
			return w.kind
		}
	}
	return nil
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

// baseError means that a base image can't be fetched from its registry.
type baseError struct {
	name string
	kind error
	err  error // the worker's
	advice.Advice
}

// newBaseError also finds the kind. An unknown message means a registry that did not answer properly.
func newBaseError(name string, err error) error {
	e := &baseError{name: name, kind: cmp.Or(kindOf(err), registry.ErrUnavailable), err: err}
	switch {
	case errors.Is(e.kind, registry.ErrNotFound):
		e.Advice = advice.Say("build the base image for this platform first, or check its name")
	case errors.Is(e.kind, registry.ErrDenied):
		e.Advice = advice.Of(advice.LogIn)
	}
	return e
}

func (e *baseError) Error() string {
	text := e.err.Error()
	if _, after, ok := strings.Cut(text, "failed to resolve source metadata for "+e.name+": "); ok {
		text = after // the rest repeats the name
	}
	return fmt.Sprintf("base image %q is not in the store: %v: %s", e.name, e.kind, text)
}

func (e *baseError) Unwrap() []error { return []error{e.kind, e.err} }

// baseWarning is BuildKit's warning about a base image of another platform.
type baseWarning struct{ text string }

func (e *baseWarning) Error() string { return e.text }
func (e *baseWarning) Unwrap() error { return registry.ErrNotFound }
