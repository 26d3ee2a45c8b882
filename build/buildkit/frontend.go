package buildkit

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"mtool/build"
	"mtool/registry"
)

const builtin = "builtin"

// chooseFrontend decides what reads the Dockerfile: BuildKit's built-in frontend, or an image that a "# syntax=" line or
// the user names. The built-in one is what the stable channel of docker/dockerfile has, and stands in for an image that
// can't be had.
func chooseFrontend(ctx context.Context, job build.Job, d *dockerfile) build.Job {
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

// isStable says whether an image is the Dockerfile frontend's stable channel.
func isStable(image string) bool {
	ref, err := registry.ParseRef("docker://" + image)
	return err == nil && ref.Repository() == "docker.io/docker/dockerfile" && ref.Digest.Hex == "" && !strings.Contains(ref.Tag, "labs") &&
		(ref.Tag == "latest" || strings.HasPrefix(ref.Tag, "1"))
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
