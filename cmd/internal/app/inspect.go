package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/workload"
	"mtool/registry"
)

// InspectOptions are what to inspect and what must hold.
type InspectOptions struct {
	Refs    []registry.Ref
	Require []v1.Platform
	Exact   bool // no platforms but Require
	Strict  bool // notes that change the verdict are failures
	Same    bool // all images must be one program
	// NoVerify makes findings, but no errors of them.
	NoVerify bool
	From     string // store, registry; "" means both
	DeepOptions
	ProofOptions
	Workloads WorkloadOptions
}

// Inspection is the tree under one reference and the findings about it. Err is nil if nothing is wrong.
type Inspection struct {
	Report   inspect.Report
	Findings []inspect.Finding
	Err      error
	// Level is how much was checked, and Cost what was read for all references together.
	Level Level
	Cost  deep.Cost
	// Uses are the places in files that name the reference; Required are the platforms that it must serve.
	Uses     []workload.Use
	Required []v1.Platform
	// Unread is the image as a file names it, if it can't be looked up. There is no report then.
	Unread string
	Proof
	// Differences are those between the images, if they must be the same.
	Differences []parity.Difference
}

// Name returns what was inspected: the reference, or what a file has in its place.
func (i Inspection) Name() string {
	if i.Report.Root.Body == nil && i.Report.Ref == (registry.Ref{}) {
		return i.Unread
	}
	return i.Report.Ref.Name()
}

// State returns the verdict on the image at an index of the report.
func (i Inspection) State(image int) inspect.State {
	if image < len(i.Findings) {
		return i.Findings[image].State
	}
	return inspect.Unchecked
}

// Inspect reads all references at once, also those that files name, and checks them in order. The error joins those of
// all references; what could be read is returned nevertheless. A layer of several images is read once.
func (e *Env) Inspect(ctx context.Context, o InspectOptions) ([]Inspection, error) {
	all, unchecked, err := e.queries(ctx, o)
	if err != nil {
		return nil, err
	}
	trees := make([]found, len(all))
	var g errgroup.Group // the client limits the requests in flight
	for i, a := range all {
		g.Go(func() error {
			trees[i] = e.find(ctx, a)
			return nil
		})
	}
	_ = g.Wait()
	for _, f := range trees {
		defer f.object.Close() //nolint:errcheck // opened for reading only
	}
	var result deep.Result
	if o.Deep {
		report, uses := toRead(trees)
		if result, err = e.layers(ctx, report, uses, o.DeepOptions, o.Strict); err != nil {
			return nil, fmt.Errorf("reading layers: %w", err)
		}
	}
	var inspections []Inspection
	var errs []error
	for _, f := range trees {
		var layers deep.Result
		if o.Deep {
			layers, result = result.Of(0, len(f.chosen)), result.Of(len(f.chosen), len(result.Verdicts))
		}
		one, err := e.conclude(ctx, f, layers, o)
		if one.Report.Root.Body != nil {
			inspections = append(inspections, one)
		}
		errs = append(errs, err)
	}
	unread, err := e.unread(unchecked, o, result.Cost)
	return append(inspections, unread...), errors.Join(append(errs, err)...)
}

// queries returns the images to inspect, each once: those of Refs and those that files name. What files name and can't
// be looked up is returned apart.
func (e notes) queries(ctx context.Context, o InspectOptions) (all []query, _ []workload.Unchecked, err error) {
	where, err := o.Workloads.universe(ctx, o.Require)
	if err != nil {
		return nil, nil, err
	}
	for _, ref := range o.Refs {
		all = append(all, query{workload.Requested(ref, where), o.From})
	}
	images, unchecked, err := e.readWorkloads(ctx, o.Workloads, where)
	for _, i := range images {
		all = append(all, query{i, cmp.Or(o.From, "registry")}) // what is deployed comes from registries
	}
	return all, unchecked, err
}

// UnreadError is the error of a reference that could not be read. Inspect joins it with others.
type UnreadError struct {
	Ref   registry.Ref
	Uses  []workload.Use // where files name it
	Cause error
}

func (e UnreadError) Error() string { return e.Cause.Error() }

// Unwrap gives the kinds of the cause.
func (e UnreadError) Unwrap() error { return e.Cause }

// conclude judges one reference and passes its notes on.
func (e *Env) conclude(ctx context.Context, f found, layers deep.Result, o InspectOptions) (Inspection, error) {
	if f.err != nil {
		return Inspection{}, UnreadError{f.Ref, f.Uses, f.err}
	}
	e.sayOther(f.object)
	one := Inspection{Report: f.report, Level: o.level(), Uses: f.Uses, Required: f.Platforms(), Cost: layers.Cost}
	one.Findings = f.Check(f.report, workload.CheckOptions{Require: o.Require, Exact: o.Exact})
	if f.pinned != "" {
		one.Findings = append(one.Findings, f.Place().Finding(f.report.Root.Digest, f.pinned).Note(RulePinned))
	}
	if o.Deep {
		one.Findings = spread(layers, f.chosen, len(f.report.Images)).Over(one.Findings)
	}
	proof, proved, err := e.proof(ctx, f.report, o.ProofOptions)
	if err != nil {
		return Inspection{}, fmt.Errorf("inspecting %q: %w", f.object.Ref, err)
	}
	differing, differences := f.compare(layers, o.Same)
	one.Proof, one.Differences = proof, differences
	one.Findings = slices.Concat(one.Findings, proved, differing)
	if o.Strict {
		inspect.Strictly(one.Findings, NoteRules())
	}
	one.Findings = f.Locate(one.Findings)
	shown := f.Prefixed(deep.SumsLast(deep.Summary(one.Findings)))
	e.sayNotes(shown)
	one.Err = hintSpelling(inspect.Failed(shown), one.Report)
	if one.Err == nil || o.NoVerify {
		return one, nil
	}
	if len(f.Uses) > 0 {
		return one, one.Err
	}
	return one, fmt.Errorf("inspecting %q: %w", f.object.Ref, one.Err)
}

// spread moves the verdicts on chosen images to the indexes of those in the report.
func spread(r deep.Result, chosen []int, images int) deep.Result {
	verdicts := make([]inspect.Finding, images)
	for n, i := range chosen {
		verdicts[i] = r.Verdicts[n]
	}
	r.Verdicts = verdicts
	return r
}

// unread makes an inspection of every image that files name and that can't be looked up, with a finding for each place
// in the files.
func (e notes) unread(all []workload.Unchecked, o InspectOptions, cost deep.Cost) (seen []Inspection, err error) {
	index := map[string]int{}
	for _, u := range all {
		finding := u.Finding(o.Workloads.AllowUnchecked)
		n, known := index[u.Image]
		if !known {
			n = len(seen)
			index[u.Image] = n
			seen = append(seen, Inspection{Unread: cmp.Or(finding.Claim, "(no image)"), Level: o.level(), Cost: cost})
		}
		seen[n].Uses = append(seen[n].Uses, workload.Use{Place: u.Place, Image: u.Image})
		seen[n].Findings = append(seen[n].Findings, finding)
	}
	var errs []error
	for n := range seen {
		shown := slices.Clone(seen[n].Findings)
		for i, f := range shown {
			shown[i].Message = workload.Place{File: f.File, Line: f.Line}.String() + ": " + f.Message
		}
		e.sayNotes(shown)
		if seen[n].Err = inspect.Failed(shown); seen[n].Err != nil && !o.NoVerify {
			errs = append(errs, registry.WithHint(seen[n].Err,
				"--image-field KIND=PATH checks that image, --allow-unchecked PATTERN accepts it (mtool help deploy)"))
		}
	}
	return seen, errors.Join(errs...)
}
