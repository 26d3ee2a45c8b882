package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/inspect/workload"
	"mtool/registry"
)

// WorkloadOptions say which files name images, and where those are to run. The zero value is none.
type WorkloadOptions struct {
	Files   []string  // Kubernetes and Compose files, and folders of them; "-" reads In
	Cluster string    // what kubectl get nodes -o json prints; "-" reads In
	In      io.Reader // standard input

	Env     []string // the variables that the files may use: NAME of the environment, or NAME=VALUE
	EnvFile []string // files of such variables: NAME=VALUE

	Fields         []workload.Field // at which objects name images, besides those that are known
	AllowUnchecked []string         // patterns of images that may stay unchecked; * stands for anything
	// Skipped, unless nil, is called with the files in folders that are neither Kubernetes nor Compose files.
	Skipped func(files []string)
}

// query is a reference to inspect, and why.
type query struct {
	ref  registry.Ref
	from string
	uses []workload.Use // none when it was typed
	// wanted are the platforms that it must serve, each with the uses that need it.
	wanted []want
	notes  []located
}

// want is a platform that somebody wants; uses are none when that was typed.
type want struct {
	platform v1.Platform
	uses     []workload.Use
}

// located is something to say about a place, by a rule of NoteRules.
type located struct {
	at   workload.Place
	rule string
	text string
}

// workloads reads the files of o and joins what they name with what was typed, each image once. What they name and nobody can
// look at comes apart from that.
func (e *Env) workloads(ctx context.Context, o InspectOptions) ([]query, []workload.Unchecked, error) {
	where := workload.Universe{Platforms: o.Require}
	if o.Workloads.Cluster != "" {
		data, err := readWorkload(ctx, o.Workloads.Cluster, o.Workloads.In)
		if err != nil {
			return nil, nil, err
		}
		if where.Nodes, err = workload.ReadNodes(o.Workloads.Cluster, data); err != nil {
			return nil, nil, err
		}
	}
	var all []query
	for _, ref := range o.Refs {
		one := query{ref: ref, from: o.From}
		for _, p := range where.All() {
			one.need(p, nil)
		}
		all = append(all, one)
	}
	found, err := e.named(ctx, o.Workloads)
	if err != nil {
		return nil, nil, err
	}
	all, nameless := askAll(all, found.Uses, where, o.From)
	return all, append(found.Unchecked, nameless...), nil
}

// askAll adds what the files name, and returns apart from that what is no name of an image. Names there are a cluster's: nothing
// of this machine is looked at unless from says so.
func askAll(all []query, uses []workload.Use, where workload.Universe, from string) (_ []query, nameless []workload.Unchecked) {
	if from == "" {
		from = "registry"
	}
	index := map[string]int{}
	for _, u := range uses {
		ref, err := registry.ParseRef("docker://" + u.Image)
		if err != nil {
			why := strings.TrimPrefix(err.Error(), fmt.Sprintf("parsing reference %q: ", "docker://"+u.Image))
			nameless = append(nameless, workload.Unchecked{Place: u.Place, Image: u.Image, Why: "it is no name of an image: " + why})
			continue
		}
		n, seen := index[ref.Name()]
		if !seen {
			n = len(all)
			index[ref.Name()] = n
			all = append(all, query{ref: ref, from: from})
		}
		all[n].use(u, where)
	}
	return all, nameless
}

// use adds a use and what it needs.
func (a *query) use(u workload.Use, where workload.Universe) {
	a.uses = append(a.uses, u)
	required, homeless := u.Required(where)
	for _, p := range required {
		a.need(p, &u)
	}
	if homeless {
		a.notes = append(a.notes, located{u.Place, RuleNoNode, fmt.Sprintf("no node of the cluster would run it (%s)", u.Selector)})
	}
}

func (a *query) need(p v1.Platform, u *workload.Use) {
	n := slices.IndexFunc(a.wanted, func(have want) bool { return platform.Equal(have.platform, p) })
	if n < 0 {
		n = len(a.wanted)
		a.wanted = append(a.wanted, want{platform: p})
	}
	if u != nil {
		a.wanted[n].uses = append(a.wanted[n].uses, *u)
	}
}

// narrow are the platforms that alone matter, since every use says which it needs; none: all entries matter.
func (a query) narrow() (wanted []v1.Platform) {
	for _, u := range a.uses {
		named := slices.ContainsFunc(a.wanted, func(n want) bool {
			return slices.ContainsFunc(n.uses, func(o workload.Use) bool { return o.Place == u.Place })
		})
		if !named {
			return nil
		}
	}
	if len(a.uses) == 0 {
		return nil
	}
	for _, n := range a.wanted {
		wanted = append(wanted, n.platform)
	}
	return wanted
}
