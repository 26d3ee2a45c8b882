package build

import (
	"context"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Forecast is what is known of a build before anything runs.
type Forecast struct {
	Platforms []Planned // in the order of Spec.Platforms
	Warnings  []Warning // in the order of their lines
}

// Planned is the build of one platform.
type Planned struct {
	Platform v1.Platform
	Emulator string // what RUN steps of this platform need: "" when native or when there is none, else QEMU's name of it
	Bases    []Base // of the stages that will be built, in their order
}

// Base is a base image as it was found.
type Base struct {
	Name     string      // as in the Dockerfile, arguments expanded
	Platform v1.Platform // that is needed of it
	Digest   v1.Hash     // of the image for that platform; zero when only the worker can find it
	From     string      // "store", or the host that was asked
}

// Warning is a place in a Dockerfile that makes the image differ from what its platform promises, or may.
type Warning struct {
	Rule string // MT101 …, or the name of one of BuildKit's rules
	File string
	Line int // from 1
	Text string
}

func (w Warning) String() string { return fmt.Sprintf("%s:%d: %s: %s", w.File, w.Line, w.Rule, w.Text) }

// Foresee checks what Run would check before anything is built: that the Dockerfile can be read, that every base image is
// there for its platform, and that every RUN step can be executed. Nothing is built or stored.
func Foresee(ctx context.Context, spec Spec, o Options) (Forecast, error) {
	spec, err := prepareSpec(spec)
	if err != nil {
		return Forecast{}, err
	}
	return foresee(ctx, Job{Spec: spec, Options: o})
}

// StrictError are the warnings of a Dockerfile when Spec.Strict makes them errors.
type StrictError struct{ Warnings []Warning }

func (e *StrictError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines are the warnings.
func (e *StrictError) Lines() []string {
	lines := make([]string, len(e.Warnings))
	for i, w := range e.Warnings {
		lines[i] = w.String()
	}
	return lines
}

// Unwrap makes it a failed check of content.
func (e *StrictError) Unwrap() error { return registry.ErrContent }

// Hint is the next action.
func (e *StrictError) Hint() string {
	return "use the TARGET… arguments instead, or leave --strict out to be warned only"
}
