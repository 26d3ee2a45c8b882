package flow

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect/platform"
	"mtool/inspect/workload"
	"mtool/registry"
)

// WorkloadOptions say which files name images, and where those are to run. The zero value is none.
type WorkloadOptions struct {
	Files   []string  // Kubernetes and Compose files, and folders of them; "-" reads In
	Cluster string    // what kubectl get nodes -o json prints; "-" reads In
	In      io.Reader // standard input
}

// asked is a reference to inspect, and why.
type asked struct {
	ref  registry.Ref
	from string
	uses []workload.Use // none when it was typed
	// needs are the platforms that it must serve, each with the uses that want it.
	needs []want
	notes []located
}

// want is a platform that somebody wants; uses are none when that was typed.
type want struct {
	platform v1.Platform
	uses     []workload.Use
}

// located is something to say about a place.
type located struct {
	at   workload.Place
	text string
}

// workloads reads the files of o and joins what they name with what was typed, each image once.
func (e *Env) workloads(o InspectOptions) ([]asked, error) {
	where := workload.Universe{Platforms: o.Require}
	if o.Workloads.Cluster != "" {
		data, err := readWorkload(o.Workloads.Cluster, o.Workloads.In)
		if err != nil {
			return nil, err
		}
		if where.Nodes, err = workload.ReadNodes(o.Workloads.Cluster, data); err != nil {
			return nil, err
		}
	}
	var all []asked
	for _, ref := range o.Refs {
		one := asked{ref: ref, from: o.From}
		for _, p := range where.All() {
			one.need(p, nil)
		}
		all = append(all, one)
	}
	uses, err := e.uses(o.Workloads)
	if err != nil {
		return nil, err
	}
	return e.askAll(all, uses, where, o.From)
}

// askAll adds what the files name. Names there are a cluster's: nothing of this machine is looked at unless from says so.
func (e *Env) askAll(all []asked, uses []workload.Use, where workload.Universe, from string) ([]asked, error) {
	if from == "" {
		from = "registry"
	}
	index := map[string]int{}
	var errs []error
	for _, u := range uses {
		ref, err := registry.ParseRef("docker://" + u.Image)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", u.Place, u.What, err))
			continue
		}
		n, seen := index[ref.Name()]
		if !seen {
			n = len(all)
			index[ref.Name()] = n
			all = append(all, asked{ref: ref, from: from})
		}
		all[n].use(u, where)
	}
	return all, errors.Join(errs...)
}

// use adds a use and what it needs.
func (a *asked) use(u workload.Use, where workload.Universe) {
	a.uses = append(a.uses, u)
	required, homeless := u.Required(where)
	for _, p := range required {
		a.need(p, &u)
	}
	if homeless {
		a.notes = append(a.notes, located{u.Place, fmt.Sprintf("no node of the cluster would run it (%s)", u.Selector)})
	}
}

func (a *asked) need(p v1.Platform, u *workload.Use) {
	n := slices.IndexFunc(a.needs, func(have want) bool { return platform.Equal(have.platform, p) })
	if n < 0 {
		n = len(a.needs)
		a.needs = append(a.needs, want{platform: p})
	}
	if u != nil {
		a.needs[n].uses = append(a.needs[n].uses, *u)
	}
}

// narrow are the platforms that alone matter, since every use says which it needs; none: all entries matter.
func (a asked) narrow() (wanted []v1.Platform) {
	for _, u := range a.uses {
		named := slices.ContainsFunc(a.needs, func(n want) bool {
			return slices.ContainsFunc(n.uses, func(o workload.Use) bool { return o.Place == u.Place })
		})
		if !named {
			return nil
		}
	}
	if len(a.uses) == 0 {
		return nil
	}
	for _, n := range a.needs {
		wanted = append(wanted, n.platform)
	}
	return wanted
}

// uses reads all files; a folder stands for the YAML and JSON files in it.
func (e *Env) uses(o WorkloadOptions) ([]workload.Use, error) {
	files, err := workloadFiles(o.Files)
	if err != nil {
		return nil, err
	}
	var uses []workload.Use
	for _, file := range files {
		data, err := readWorkload(file, o.In)
		if err != nil {
			return nil, err
		}
		found, err := workload.Read(file, data, workload.Options{Env: os.LookupEnv, Read: readBeside})
		switch {
		case errors.Is(err, workload.ErrTemplate):
			return nil, hinted{err, "helm template RELEASE CHART | mtool inspect -f -"}
		case errors.Is(err, workload.ErrElsewhere):
			return nil, hinted{err, "docker compose config | mtool inspect -f -"}
		case err != nil:
			return nil, err
		}
		for _, n := range found.Notes {
			e.note("note: %s", n)
		}
		uses = append(uses, found.Uses...)
	}
	if len(files) > 0 && len(uses) == 0 {
		return nil, fmt.Errorf("%w: no image is named in %s", compose.ErrUsage, strings.Join(files, ", "))
	}
	return uses, nil
}

func workloadFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			files = append(files, name) // one that is not there is told by whoever reads it
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		before := len(files)
		for _, entry := range entries {
			switch filepath.Ext(entry.Name()) {
			case ".yaml", ".yml", ".json":
				files = append(files, filepath.Join(name, entry.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%w: the folder %s has no .yaml, .yml or .json file", compose.ErrUsage, name)
		}
	}
	return files, nil
}

// readBeside reads a file that another one names, which must be a file: a device or a pipe may have no end.
func readBeside(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	}
	return os.ReadFile(path)
}

func readWorkload(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading %q: %w: no such file", name, registry.ErrNotFound)
	}
	return data, err
}
