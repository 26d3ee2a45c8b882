package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/regular"
)

// maxWorkload is the limit, in bytes, of one file: the nodes of a cluster of thousands take some dozens of megabytes.
const maxWorkload = 128 << 20

// named reads all files; a folder stands for the YAML and JSON files in it, at any depth.
func (e *Env) named(ctx context.Context, o WorkloadOptions) (all workload.Found, err error) {
	files, err := workloadFiles(o.Files)
	if err != nil {
		return all, err
	}
	allowed, err := allowVariables(ctx, o)
	if err != nil {
		return all, err
	}
	if files, err = readNamed(ctx, files, o.In); err != nil {
		return all, err
	}
	all.Met = make([]workload.Met, len(o.Fields))
	var skipped []string
	for _, file := range files {
		found, err := file.find(o, allowed)
		if err != nil {
			return all, err
		}
		switch {
		case found.Foreign && !file.listed:
			return all, registry.Usagef("%s is neither a Kubernetes object nor a Compose file", file.name)
		case found.Foreign:
			skipped = append(skipped, file.name)
			continue
		}
		for _, n := range found.Notes {
			e.note("note: %s", n)
		}
		all.Uses, all.Unchecked = append(all.Uses, found.Uses...), append(all.Unchecked, found.Unchecked...)
		for i, met := range found.Met {
			all.Met[i] = max(all.Met[i], met)
		}
	}
	e.sayUnused(o, skipped, allowed)
	if len(files) > 0 && len(all.Uses)+len(all.Unchecked) == 0 {
		return all, registry.Usagef("no image is named in %s", strings.Join(o.Files, ", "))
	}
	return all, e.checkFields(o.Fields, all.Met)
}

// sayUnused reports files that were not looked at, and variables that were not used.
func (e notes) sayUnused(o WorkloadOptions, skipped []string, allowed *variables) {
	if len(skipped) > 0 && o.Skipped != nil {
		o.Skipped(skipped)
	}
	for _, name := range allowed.withheld {
		e.note("note: the variable %s of the environment was not used: --env %s allows that", name, name)
	}
}

// checkFields refuses fields at which the objects of their kind have nothing: they would check nothing.
func (e notes) checkFields(fields []workload.Field, met []workload.Met) error {
	for i, f := range fields {
		switch met[i] {
		case workload.NoObject:
			e.note("note: --image-field %s: no file has a %s", f, f.Kind)
		case workload.NoValue:
			return registry.Usagef("--image-field %s: no %s names anything there", f, f.Kind)
		case workload.Named:
		}
	}
	return nil
}

// workloadFile is a file to read; listed: nobody typed its name.
type workloadFile struct {
	name   string
	listed bool
	data   []byte          // of one that is not listed
	over   []workload.File // Compose files that are laid over it
}

// readNamed reads the files that were typed. Compose files among them are one project, as docker compose takes them.
func readNamed(ctx context.Context, files []workloadFile, in io.Reader) (all []workloadFile, err error) {
	first := -1
	for _, f := range files {
		if f.listed {
			all = append(all, f)
			continue
		}
		if f.data, err = readWorkload(ctx, f.name, in); err != nil {
			return nil, err
		}
		switch {
		case len(files) == 1 || !workload.IsCompose(f.name, f.data):
		case first < 0:
			first = len(all)
		default:
			all[first].over = append(all[first].over, workload.File{Name: f.name, Data: f.data})
			continue
		}
		all = append(all, f)
	}
	return all, nil
}

// maxWorkloads is the limit of the files in all folders.
const maxWorkloads = 100_000

func workloadFiles(names []string) ([]workloadFile, error) {
	var files []workloadFile
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			files = append(files, workloadFile{name: name}) // one that is not there is told by whoever reads it
			continue
		}
		before := len(files)
		if err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fmt.Errorf("reading the folder %s: %w", name, err)
			case entry.IsDir():
				return nil
			case entry.Type()&fs.ModeSymlink != 0 && leadsToFolder(path):
				return registry.Usagef("%s is a link to a folder, which is not followed", path)
			case len(files) == maxWorkloads:
				return registry.Usagef("there are more than %d files", maxWorkloads)
			}
			switch filepath.Ext(path) {
			case ".yaml", ".yml", ".json":
				files = append(files, workloadFile{name: path, listed: true})
			}
			return nil
		}); err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, registry.Usagef("the folder %s has no .yaml, .yml or .json file", name)
		}
	}
	return files, nil
}

// leadsToFolder reports whether a link leads to a folder. In those that Kubernetes mounts, "..data" does, and the files lie
// there under names of their own.
func leadsToFolder(link string) bool {
	info, err := os.Stat(link)
	return err == nil && info.IsDir() && filepath.Base(link) != "..data"
}

// find reads the file and those that it names.
func (f workloadFile) find(o WorkloadOptions, allowed *variables) (found workload.Found, err error) {
	around, err := openAround(f.name)
	if err != nil {
		return found, err
	}
	defer around.Close() //nolint:errcheck // a folder, opened to stay within it
	data := f.data
	if f.listed {
		if data, err = around.read(f.name); err != nil {
			return found, fmt.Errorf("reading workloads: %w", err)
		}
	}
	found, err = workload.Read(f.name, data, workload.Options{Env: allowed.lookup, Read: around.read, Over: f.over, Fields: o.Fields})
	switch {
	case errors.Is(err, workload.ErrTemplate):
		return found, registry.WithHint(err, "helm template RELEASE CHART | mtool inspect -f -")
	case errors.Is(err, workload.ErrElsewhere):
		return found, registry.WithHint(err, "docker compose config | mtool inspect -f -")
	}
	return found, err
}

// surroundings are where a file may name others: below the working directory or, when it lies elsewhere, below its folder.
// Who wrote the file does not choose among all files of the machine.
type surroundings struct{ *os.Root }

func openAround(file string) (s surroundings, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return s, err
	}
	if abs, err := filepath.Abs(file); file != "-" && !regular.IsHeld(file) && (err != nil || !liesBelow(dir, abs)) {
		dir = filepath.Dir(abs)
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("reading %q: %w: no such file", file, registry.ErrNotFound)
	}
	return surroundings{root}, err
}

func liesBelow(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func (s surroundings) read(path string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(s.Name(), abs)
	if err != nil {
		return nil, err
	}
	if !filepath.IsLocal(name) {
		return nil, registry.WithHint(fmt.Errorf("it lies outside of %q", s.Name()), "docker compose config | mtool inspect -f -")
	}
	data, err := regular.ReadIn(s.Root, name, regular.MaxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	return data, err
}

// readWorkload reads a file that the user named.
func readWorkload(ctx context.Context, name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		data, err := regular.ReadAll(ctx, in, maxWorkload)
		if err != nil {
			err = fmt.Errorf("reading standard input: %w", err)
		}
		return data, err
	}
	data, err := regular.ReadTyped(ctx, name, maxWorkload)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("reading %q: %w: no such file", name, registry.ErrNotFound)
	case errors.Is(err, regular.ErrFile):
		return nil, fmt.Errorf("reading workloads: %w", err)
	}
	return data, err
}
