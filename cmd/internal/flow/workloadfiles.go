package flow

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

// uses reads all files; a folder stands for the YAML and JSON files in it.
func (e *Env) uses(ctx context.Context, o WorkloadOptions) ([]workload.Use, error) {
	files, err := workloadFiles(o.Files)
	if err != nil {
		return nil, err
	}
	allowed, err := allowVariables(ctx, o)
	if err != nil {
		return nil, err
	}
	var uses []workload.Use
	for _, file := range files {
		found, err := file.find(ctx, o.In, allowed)
		if err != nil {
			return nil, err
		}
		for _, n := range found.Notes {
			e.note("note: %s", n)
		}
		uses = append(uses, found.Uses...)
	}
	for _, name := range allowed.withheld {
		e.note("note: the variable %s of the environment was not used: --env %s allows that", name, name)
	}
	if len(files) > 0 && len(uses) == 0 {
		return nil, registry.Usagef("no image is named in %s", strings.Join(o.Files, ", "))
	}
	return uses, nil
}

// workloadFile is a file to read; listed: nobody typed its name.
type workloadFile struct {
	name   string
	listed bool
}

func workloadFiles(names []string) ([]workloadFile, error) {
	var files []workloadFile
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			files = append(files, workloadFile{name: name}) // one that is not there is told by whoever reads it
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
				files = append(files, workloadFile{filepath.Join(name, entry.Name()), true})
			}
		}
		if len(files) == before {
			return nil, registry.Usagef("the folder %s has no .yaml, .yml or .json file", name)
		}
	}
	return files, nil
}

// find reads the file and those that it names.
func (f workloadFile) find(ctx context.Context, in io.Reader, allowed *variables) (found workload.Found, err error) {
	around, err := openAround(f.name)
	if err != nil {
		return found, err
	}
	defer around.Close() //nolint:errcheck // a folder, opened to stay within it
	var data []byte
	if f.listed {
		if data, err = around.read(f.name); err != nil {
			err = fmt.Errorf("reading workloads: %w", err)
		}
	} else {
		data, err = readWorkload(ctx, f.name, in)
	}
	if err != nil {
		return found, err
	}
	found, err = workload.Read(f.name, data, workload.Options{Env: allowed.lookup, Read: around.read})
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
