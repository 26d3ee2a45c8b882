package publish

import (
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
)

// ErrPartial means that some of several targets have the content, and others don't.
var ErrPartial = errors.New("not all targets done")

// State is what happened to one target.
type State string

// The states.
const (
	Written   State = "written"
	Unchanged State = "unchanged"
	Failed    State = "failed"
	DryRun    State = "planned" // nothing was written
)

// Outcome is the result for one target.
type Outcome struct {
	Target registry.Ref
	State  State
	Digest v1.Hash // if it differs from the root's: Docker Engine has its own
	Err    error   // for Failed
}

// Made is something that was written: its name (a repository, or a file with its transport) and its digest.
type Made struct {
	Name   string
	Digest v1.Hash
}

// MadeAt returns digest as written to ref.
func MadeAt(ref registry.Ref, digest v1.Hash) Made {
	if ref.IsFile() {
		return Made{string(ref.Transport) + ":" + ref.Path, digest}
	}
	return Made{ref.Repository(), digest}
}

// Done is what was written, or would be by a dry run.
type Done struct {
	// Made has one element for each repository or file.
	Made []Made
	// Root is the list or image; empty if Docker Engine was the only target.
	Root registry.Manifest
	// Plan is the plan of a dry run, nil otherwise.
	Plan *compose.Plan
	// Targets are the outcomes, in the order of the targets.
	Targets []Outcome
}

// finish collects what was written and joins the failures. The error wraps ErrPartial when some of several targets
// are done.
func (d Done) finish() (Done, error) {
	var errs []error
	for _, o := range d.Targets {
		if o.State != Failed {
			digest := d.Root.Digest
			if o.Digest != (v1.Hash{}) {
				digest = o.Digest
			}
			d.Add(MadeAt(o.Target, digest))
			continue
		}
		err := o.Err
		if len(d.Targets) > 1 {
			err = fmt.Errorf("pushing to %q: %w", o.Target, err)
		}
		errs = append(errs, err)
	}
	if len(errs) > 0 && len(errs) < len(d.Targets) {
		errs = append(errs, registry.WithHint(
			fmt.Errorf("%w: %d of %d", ErrPartial, len(d.Targets)-len(errs), len(d.Targets)),
			"the same command again finishes the rest",
		))
	}
	return d, errors.Join(errs...)
}

// Add adds what was written; a repository with several tags is listed once.
func (d *Done) Add(made ...Made) {
	for _, m := range made {
		if !slices.Contains(d.Made, m) {
			d.Made = append(d.Made, m)
		}
	}
}

func (d *Done) each(f func(*Outcome)) {
	for i := range d.Targets {
		if d.Targets[i].State != Failed {
			f(&d.Targets[i])
		}
	}
}
