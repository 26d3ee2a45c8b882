package build

import (
	"context"
	"errors"
)

// Linter is a Solver that knows rules for Dockerfiles; buildkit.Solver is one.
type Linter interface {
	// Lint tells what breaks a rule, in the order of the lines. It needs neither a worker nor the network.
	Lint(ctx context.Context, job Job) ([]Warning, error)
}

// Check looks at the Dockerfile of a Spec alone: BuildKit's rules, and ours about architectures.
func Check(ctx context.Context, spec Spec, o Options) ([]Warning, error) {
	spec, err := prepare(spec)
	if err != nil {
		return nil, err
	}
	l, ok := o.Solver.(Linter)
	if !ok {
		return nil, errors.New("checking a Dockerfile: Options.Solver is no Linter")
	}
	return l.Lint(ctx, Job{Spec: spec, Options: o})
}
