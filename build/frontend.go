package build

import (
	"context"
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
	if s := job.Spec.Syntax; s != "" && s != "auto" {
		return job
	}
	job.Spec.Syntax = builtin
	image, _, _, ok := parser.DetectSyntax([]byte(strings.Join(d.lines, "\n")))
	if !ok || isStable(image) {
		return job
	}
	if job.Options.Client != nil {
		if a := askFor(ctx, job.Options, image); a.err != nil {
			job.Options.say(fmt.Sprintf("warning: the Dockerfile is read by BuildKit's own frontend, since %q is not available: %v",
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
	return fmt.Sprintf("the Dockerfile frontend %q failed: %s", e.image, text)
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
