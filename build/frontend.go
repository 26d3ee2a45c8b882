package build

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"mtool/build/advice"
	"mtool/registry"
)

const builtin = "builtin"

// chooseFrontend chooses the Dockerfile frontend: BuildKit's built-in one, or an image that a "# syntax=" line or the
// user names. The built-in one equals the stable channel of docker/dockerfile and replaces it if that image is not
// available.
func chooseFrontend(ctx context.Context, job Job, d *dockerfile) Job {
	if wanted := job.Spec.Syntax; wanted != "" && wanted != "auto" {
		return job
	}
	job.Spec.Syntax = builtin
	image, _, _, ok := parser.DetectSyntax([]byte(strings.Join(d.lines, "\n")))
	if !ok || isStable(image) {
		return job
	}
	if job.Options.Client != nil {
		if a := askFor(ctx, job.Options, image); a.err != nil {
			job.Options.say(fmt.Sprintf("warning: the Dockerfile is read by BuildKit's own frontend, since %q can't be had: %v",
				image, a.err))
			return job
		}
	}
	job.Spec.Syntax = image
	return job
}

// isStable reports whether an image is the Dockerfile frontend's stable channel.
func isStable(image string) bool {
	ref, err := registry.ParseRef("docker://" + image)
	return err == nil && ref.Repository() == "docker.io/docker/dockerfile" && ref.Digest.Hex == "" &&
		!strings.Contains(ref.Tag, "labs") &&
		(ref.Tag == "latest" || strings.HasPrefix(ref.Tag, "1"))
}

// frontendError means that a frontend image failed. Its output stays with the worker.
type frontendError struct {
	image string
	err   error
	advice.Advice
}

func (e *frontendError) Error() string {
	text := e.err.Error()
	if _, after, ok := strings.Cut(text, "BUILDKIT_SYNTAX = "+e.image+": "); ok {
		text = after
	}
	return fmt.Sprintf("the frontend %q, which was to read the Dockerfile, failed: %s", e.image, text)
}

func (e *frontendError) Unwrap() error { return e.err }

// syntaxAttrs tells the frontend which image to forward to. Any "cmdline" would prevent that.
func syntaxAttrs(a map[string]string, syntax string) {
	switch syntax {
	case "", "auto", builtin:
		a["cmdline"] = "mtool"
	default:
		a["build-arg:BUILDKIT_SYNTAX"] = syntax
	}
}

// syntaxError is a Dockerfile that can't be parsed, with the wrong line.
type syntaxError struct {
	path, text string
	line       int // from 1; 0 is unknown
	err        error
}

func newSyntaxError(path string, text []byte, err error) error {
	e := &syntaxError{path: shown(path), err: err}
	if at := (*parser.LocationError)(nil); errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		e.line = at.Locations[0][0].Start.Line
	}
	if lines := strings.Split(string(text), "\n"); e.line > 0 && e.line <= len(lines) {
		e.text = strings.TrimRight(lines[e.line-1], "\r")
	}
	return e
}

func (e *syntaxError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns the place and the fault there, then the line, and a caret under its first word.
func (e *syntaxError) Lines() []string {
	if e.line == 0 || strings.TrimSpace(e.text) == "" {
		return []string{fmt.Sprintf("parsing Dockerfile %q: %v", e.path, e.err)}
	}
	text := strings.ReplaceAll(e.text, "\t", " ") // so the caret is below its word
	indent := len(text) - len(strings.TrimLeft(text, " "))
	gutter := fmt.Sprintf("%5d | ", e.line)
	return []string{
		fmt.Sprintf("parsing Dockerfile %q, line %d: %v", e.path, e.line, e.err),
		gutter + text,
		strings.Repeat(" ", len(gutter)+indent) + "^",
	}
}

func (e *syntaxError) Unwrap() []error { return []error{registry.ErrUsage, e.err} }
