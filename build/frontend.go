package build

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"mtool/registry"
)

const builtin = "builtin"

// chooseFrontend decides what reads the Dockerfile: BuildKit's built-in frontend, or an image that a "# syntax=" line or
// the user names. The built-in one is what the stable channel of docker/dockerfile has, and stands in for an image that
// can't be had.
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
			job.Options.Say(fmt.Sprintf("warning: the Dockerfile is read by BuildKit's own frontend, since %q can't be had: %v", image, a.err))
			return job
		}
	}
	job.Spec.Syntax = image
	return job
}

// isStable reports whether an image is the Dockerfile frontend's stable channel.
func isStable(image string) bool {
	ref, err := registry.ParseRef("docker://" + image)
	return err == nil && ref.Repository() == "docker.io/docker/dockerfile" && ref.Digest.Hex == "" && !strings.Contains(ref.Tag, "labs") &&
		(ref.Tag == "latest" || strings.HasPrefix(ref.Tag, "1"))
}

// frontendError is an image that was to read the Dockerfile and ended otherwise. What it printed stays with the worker.
type frontendError struct {
	image string
	err   error
}

func (e *frontendError) Error() string {
	text := e.err.Error()
	if _, after, ok := strings.Cut(text, "BUILDKIT_SYNTAX = "+e.image+": "); ok {
		text = after
	}
	return fmt.Sprintf("the frontend %q, which was to read the Dockerfile, failed: %s", e.image, text)
}

func (e *frontendError) Unwrap() error { return e.err }

// Hint is the next action.
func (e *frontendError) Hint() string {
	return "--syntax builtin has the Dockerfile read by BuildKit's own frontend"
}

// syntaxAttrs tells the frontend which one it is to hand over to. Any "cmdline" keeps it from doing so.
func syntaxAttrs(a map[string]string, syntax string) {
	switch syntax {
	case "", "auto", builtin:
		a["cmdline"] = "mtool"
	default:
		a["build-arg:BUILDKIT_SYNTAX"] = syntax
	}
}
