package app

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/source"
)

// InspectOptions say what to look at and what must hold.
type InspectOptions struct {
	Refs    []registry.Ref
	Require []v1.Platform
	Exact   bool // nothing but Require
	Strict  bool // notes that change the verdict are failures
	Same    bool // all images must be one program
	// NoVerify only shows; findings are made but fail nothing.
	NoVerify bool
	From     string // "", store, registry
	DeepOptions
	ProofOptions
	Workloads WorkloadOptions
}

// Inspection is what is under one reference and what was found of it. Err is nil when nothing is wrong.
type Inspection struct {
	Report   inspect.Report
	Findings []inspect.Finding
	Err      error
	// Level is how much was looked at, and Cost what was read for it and for all other references of the command.
	Level Level
	Cost  deep.Cost
	// Uses are the places in files that name the reference; Required are the platforms that it must serve.
	Uses     []workload.Use
	Required []v1.Platform
	// Unread is the image as a file names it, where nothing was looked at: then there is no report.
	Unread string
	Proof
	// Differences are those of the images, where they must be the same.
	Differences []parity.Difference
}

// Name is what was inspected: the reference, or what stands for it in a file.
func (i Inspection) Name() string {
	if i.Report.Root.Body == nil && i.Report.Ref == (registry.Ref{}) {
		return i.Unread
	}
	return i.Report.Ref.Name()
}

// Level is how much was looked at.
type Level string

// The levels.
const (
	Claims      Level = "claims"
	Binaries    Level = "binaries"
	Entrypoints Level = "entrypoints" // only the binaries that the images start
)

// State is the verdict on the image at this index of the report.
func (i Inspection) State(image int) inspect.State {
	if image < len(i.Findings) {
		return i.Findings[image].State
	}
	return inspect.Unchecked
}

// Inspect reads all references at once, those that files name among them, and checks them in their order. What could be
// read is returned with the error, which joins those of all references in order. Each layer is read once, however many
// have it.
func (e *Env) Inspect(ctx context.Context, o InspectOptions) ([]Inspection, error) {
	defer boundMemory()()
	all, unchecked, err := e.workloads(ctx, o)
	if err != nil {
		return nil, err
	}
	looked := make([]found, len(all))
	var g errgroup.Group // the client limits the requests in flight
	for i, a := range all {
		g.Go(func() error {
			looked[i] = e.find(ctx, a)
			return nil
		})
	}
	_ = g.Wait()
	for _, f := range looked {
		defer f.object.Close() //nolint:errcheck // opened for reading only
	}
	var result deep.Result
	if o.Deep {
		report, uses := toRead(looked)
		if result, err = e.layers(ctx, report, uses, o.DeepOptions, o.Strict); err != nil {
			return nil, fmt.Errorf("reading layers: %w", err)
		}
	}
	var seen []Inspection
	var errs []error
	for _, f := range looked {
		var layers deep.Result
		if o.Deep {
			layers, result = result.Of(0, len(f.chosen)), result.Of(len(f.chosen), len(result.Verdicts))
		}
		one, err := e.conclude(ctx, f, layers, o)
		if one.Report.Root.Body != nil {
			seen = append(seen, one)
		}
		errs = append(errs, err)
	}
	unread, err := e.unread(unchecked, o, result.Cost)
	return append(seen, unread...), errors.Join(append(errs, err)...)
}

// UnreadError is among the errors that Inspect joins, for a reference that could not be read.
type UnreadError struct {
	Ref   registry.Ref
	Uses  []workload.Use // the places in files that name it
	Cause error
}

func (e UnreadError) Error() string { return e.Cause.Error() }

// Unwrap gives the kinds of the cause.
func (e UnreadError) Unwrap() error { return e.Cause }

// found is what is under a reference, or why that could not be read.
type found struct {
	query
	object registry.Object
	report inspect.Report
	err    error
	pinned string // what there is to say of a digest of one image
	chosen []int  // the images whose layers matter
}

// find reads what is under a reference.
func (e names) find(ctx context.Context, a query) (f found) {
	f.query = a
	if f.object, f.report, f.err = e.readOne(ctx, a.Ref, lookup(a.from)); f.err != nil {
		f.err = a.Located(f.err)
		return f
	}
	f.pinned = e.pinned(ctx, a, f.report)
	wanted := a.Only()
	served := map[int]bool{}
	for _, p := range wanted {
		for _, i := range f.report.Serve(p, false).Rows {
			served[i] = true
		}
	}
	for i := range f.report.Images {
		if wanted == nil || served[i] {
			f.chosen = append(f.chosen, i)
		}
	}
	return f
}

// toRead is a report of all images whose layers matter, whatever reference they are under, and how each is used.
func toRead(all []found) (r inspect.Report, uses [][]deep.Use) {
	for _, f := range all {
		for _, i := range f.chosen {
			r.Images = append(r.Images, f.report.Images[i])
			uses = append(uses, f.processes())
		}
	}
	return r, uses
}

// conclude makes the verdict on one reference and tells the notes.
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
	if err := e.addProof(ctx, &one, o); err != nil {
		return Inspection{}, fmt.Errorf("inspecting %q: %w", f.object.Ref, err)
	}
	e.compare(&one, f, layers, o.Same)
	if o.Strict {
		inspect.Strictly(one.Findings, NoteRules())
	}
	one.Findings = f.Locate(one.Findings)
	told := f.Told(deep.SumsLast(deep.Summary(one.Findings)))
	e.sayNotes(told)
	one.Err = mended(inspect.Failed(told), one.Report)
	if one.Err == nil || o.NoVerify {
		return one, nil
	}
	if len(f.Uses) > 0 {
		return one, one.Err
	}
	return one, fmt.Errorf("inspecting %q: %w", f.object.Ref, one.Err)
}

// spread puts verdicts on chosen images where those are in the report.
func spread(r deep.Result, chosen []int, images int) deep.Result {
	verdicts := make([]inspect.Finding, images)
	for n, i := range chosen {
		verdicts[i] = r.Verdicts[n]
	}
	r.Verdicts = verdicts
	return r
}

func (o DeepOptions) level() Level {
	switch {
	case !o.Deep:
		return Claims
	case o.EntrypointOnly:
		return Entrypoints
	}
	return Binaries
}

// lookup is how inspect and copy find names: one with a host in its registry only.
func lookup(from string) source.Options {
	return source.Options{Order: source.RegistryFirst, From: from}
}

// Raw are the exact bytes under a reference.
func (e names) Raw(ctx context.Context, ref registry.Ref, from string) ([]byte, error) {
	object, err := e.open(ctx, ref, lookup(from))
	if err != nil {
		return nil, err
	}
	return object.Root.Body, object.Close()
}

// Exists answers what a name is; an error that wraps registry.ErrNotFound when it is nowhere.
func (e names) Exists(ctx context.Context, ref registry.Ref) (publish.Made, error) {
	object, err := e.open(ctx, ref, lookup(""))
	if err != nil {
		return publish.Made{}, err
	}
	return publish.MadeAt(object.Ref, object.Root.Digest), object.Close()
}

// draftObject opens a draft: its sources are read again, and one that has moved is an error.
func (e names) draftObject(ctx context.Context, list compose.List) (registry.Object, error) {
	list, all, err := e.resolve(ctx, list)
	if err != nil {
		return registry.Object{}, err
	}
	object, err := list.Object()
	object.Closer = all
	return object, err
}

// resolve reads the sources of a draft and attaches their content to its entries. The caller closes what was opened.
func (e names) resolve(ctx context.Context, list compose.List) (compose.List, opened, error) {
	all, reports, err := e.readSources(ctx, list, reading{})
	if err != nil {
		return list, all, err
	}
	list, err = list.Resolve(reports)
	if err != nil {
		return list, opened{}, errors.Join(err, all.Close())
	}
	return list, all, nil
}

func (e names) readSources(
	ctx context.Context, list compose.List, r reading,
) (opened, map[registry.Ref]inspect.Report, error) {
	sources := list.Sources()
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst}, r)
	if err != nil {
		return all, nil, fmt.Errorf("reading the sources of draft %q: %w", list.Name, err)
	}
	reports := make(map[registry.Ref]inspect.Report, len(sources))
	for i, ref := range sources {
		reports[ref] = all.reports[i]
	}
	return all, reports, nil
}
