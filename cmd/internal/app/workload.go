package app

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/workload"
	"mtool/registry"
)

// WorkloadOptions say which files name images, and where those are to run. The zero value is none.
type WorkloadOptions struct {
	workload.FileOptions
	Cluster        string // what kubectl get nodes -o json prints; "-" reads In
	AllowUnchecked []workload.Pattern
	// Skipped, unless nil, is called with the files in folders that are neither Kubernetes nor Compose files.
	Skipped func(files []string)
}

// query is an image to inspect, and where it is looked for.
type query struct {
	workload.Image
	from string
}

// workloads reads the files of o and joins what they name with what was typed, each image once. What they name and
// nobody can look at comes apart from that.
func (e *Env) workloads(ctx context.Context, o InspectOptions) (all []query, _ []workload.Unchecked, err error) {
	where := workload.Universe{Platforms: o.Require}
	if cluster := o.Workloads.Cluster; cluster != "" {
		data, err := workload.ReadFile(ctx, cluster, o.Workloads.In)
		if err != nil {
			return nil, nil, err
		}
		if where.Nodes, err = workload.ReadNodes(cluster, data); err != nil {
			return nil, nil, err
		}
	}
	for _, ref := range o.Refs {
		all = append(all, query{workload.Typed(ref, where), o.From})
	}
	found, err := workload.ReadFiles(ctx, o.Workloads.FileOptions)
	e.sayUnused(o.Workloads, found)
	if err != nil {
		return nil, nil, err
	}
	images, nameless := workload.Images(found.Uses, where)
	for _, i := range images {
		all = append(all, query{i, cmp.Or(o.From, "registry")}) // nothing of this machine is looked at unless From says so
	}
	return all, append(found.Unchecked, nameless...), nil
}

// sayUnused reports what was not looked at: services, files, fields and variables.
func (e notes) sayUnused(o WorkloadOptions, found workload.Files) {
	for _, n := range found.Notes {
		e.note("note: %s", n)
	}
	if len(found.Skipped) > 0 && o.Skipped != nil {
		o.Skipped(found.Skipped)
	}
	for _, name := range found.Withheld {
		e.note("note: the variable %s of the environment was not used: --env %s allows that", name, name)
	}
	for i, met := range found.Met {
		if f := o.Fields[i]; met == workload.NoObject {
			e.note("note: --image-field %s: no file has a %s", f, f.Kind)
		}
	}
}

// processes returns what the places start of the image.
func (q query) processes() (all []deep.Use) {
	for _, u := range q.Uses {
		all = append(all, deep.Use(u.Process))
	}
	return all
}

// unread makes an inspection of every image that files name and nobody can look at, each once, with a finding for each
// place.
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
		told := slices.Clone(seen[n].Findings)
		for i, f := range told {
			told[i].Message = workload.Place{File: f.File, Line: f.Line}.String() + ": " + f.Message
		}
		e.sayNotes(told)
		if seen[n].Err = inspect.Failed(told); seen[n].Err != nil && !o.NoVerify {
			errs = append(errs, registry.WithHint(seen[n].Err,
				"--image-field KIND=PATH checks what stands there, --allow-unchecked PATTERN accepts it (mtool help deploy)"))
		}
	}
	return seen, errors.Join(errs...)
}
