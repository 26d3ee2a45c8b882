package app

import (
	"context"

	"mtool/build"
	"mtool/inspect"
)

// RunOptions say whether a command is run in every image. The zero value runs none.
type RunOptions struct {
	Run     bool
	Command inspect.Command
	Trial   build.TrialOptions
}

// Tried is what came of running a command in one image; the zero value is an image in which nothing could be run, since
// it could not be read.
type Tried struct {
	Command []string // what was executed
	inspect.Outcome
}

// run runs the command in every image of a report that could be read. A failure is a finding; success is none.
func (e *Env) run(ctx context.Context, r inspect.Report, o RunOptions) ([]Tried, []inspect.Finding, error) {
	tried := make([]Tried, len(r.Images))
	var trials []inspect.Trial
	var of []int
	var findings []inspect.Finding
	for i, img := range r.Images {
		if img.Err != nil {
			continue
		}
		t, err := o.Command.Trial(img, r.Ref)
		if err != nil {
			tried[i].Outcome = inspect.Outcome{Exit: -1, Err: err}
			f, _ := tried[i].Finding(t)
			findings = append(findings, f)
			continue
		}
		trials, of = append(trials, t), append(of, i)
	}
	var runner inspect.Runner = build.Runner{Options: e.buildOptions(), TrialOptions: o.Trial}
	outcomes, err := runner.Run(ctx, trials)
	if err != nil {
		return nil, nil, err
	}
	for n, outcome := range outcomes {
		tried[of[n]] = Tried{trials[n].Command, outcome}
		if f, failed := outcome.Finding(trials[n]); failed {
			findings = append(findings, f)
		}
	}
	return tried, findings, nil
}
