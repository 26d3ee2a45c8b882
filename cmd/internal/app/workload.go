package app

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/deep"
	"mtool/inspect/workload"
)

// WorkloadOptions are which files name images, and where those run. The zero value means no files.
type WorkloadOptions struct {
	workload.FileOptions
	Cluster        string // a file with the output of kubectl get nodes -o json; "-" reads In
	AllowUnchecked []workload.Pattern
	// Skipped, unless nil, is called with the files in folders that are neither Kubernetes nor Compose files.
	Skipped func(files []string)
}

// query is an image to inspect, and where it is looked up.
type query struct {
	workload.Image
	from string
}

// universe returns where the images must run: on the required platforms, and on the nodes of the cluster.
func (o WorkloadOptions) universe(ctx context.Context, require []v1.Platform) (workload.Universe, error) {
	where := workload.Universe{Platforms: require}
	if o.Cluster == "" {
		return where, nil
	}
	data, err := workload.ReadFile(ctx, o.Cluster, o.In)
	if err != nil {
		return where, err
	}
	where.Nodes, err = workload.ReadNodes(o.Cluster, data)
	return where, err
}

// readWorkloads reads the files: the images that they name, and the names that can't be looked up.
func (e notes) readWorkloads(
	ctx context.Context, o WorkloadOptions, where workload.Universe,
) ([]workload.Image, []workload.Unchecked, error) {
	found, err := workload.ReadFiles(ctx, o.FileOptions)
	e.sayUnused(o, found)
	if err != nil {
		return nil, nil, err
	}
	images, nameless := workload.Images(found.Uses, where)
	return images, append(found.Unchecked, nameless...), nil
}

// sayUnused notes which services, files, fields and variables were not used.
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
	for i, met := range found.FieldResults {
		if f := o.Fields[i]; met == workload.NoObject {
			e.note("note: --image-field %s: no file has a %s", f, f.Kind)
		}
	}
}

// processes returns what is started in the image.
func (q query) processes() (all []deep.Use) {
	for _, u := range q.Uses {
		all = append(all, deep.Use(u.Process))
	}
	return all
}
