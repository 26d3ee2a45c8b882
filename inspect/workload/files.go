package workload

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mtool/registry"
)

// FileOptions set which files are read. The zero value means none.
type FileOptions struct {
	Files []string  // Kubernetes and Compose files, and folders of them; "-" reads In
	In    io.Reader // standard input

	Env     []string // variables that the files may use: NAME of the environment, or NAME=VALUE
	EnvFile []string // files of such variables: NAME=VALUE

	Fields []Field // paths at which objects name images, in addition to the known ones
}

// Files is the content of all files.
type Files struct {
	Found
	Skipped  []string // files of folders that are neither Kubernetes nor Compose files
	Withheld []string // variables of the environment that a file uses and may not
}

// ReadFiles reads all files; a folder stands for the YAML and JSON files in it, at any depth. All Compose files in
// Files form one project, as for docker compose -f A -f B.
func ReadFiles(ctx context.Context, o FileOptions) (all Files, err error) {
	files, err := listFiles(o.Files)
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
	all.FieldResults = make([]FieldResult, len(o.Fields))
	for _, file := range files {
		found, err := file.find(o.Fields, allowed)
		if err != nil {
			return all, err
		}
		if found.Foreign && !file.listed {
			return all, registry.Usagef("%s is neither a Kubernetes object nor a Compose file", file.name)
		}
		all.add(file.name, found)
	}
	all.Withheld = allowed.withheld
	if len(files) > 0 && len(all.Uses)+len(all.Unchecked) == 0 {
		return all, registry.Usagef("no image is named in %s", strings.Join(o.Files, ", "))
	}
	return all, checkFields(o.Fields, all.FieldResults)
}

func (f *Files) add(name string, found Found) {
	if found.Foreign {
		f.Skipped = append(f.Skipped, name)
		return
	}
	f.Uses, f.Unchecked = append(f.Uses, found.Uses...), append(f.Unchecked, found.Unchecked...)
	f.Notes = append(f.Notes, found.Notes...)
	for i, met := range found.FieldResults {
		f.FieldResults[i] = max(f.FieldResults[i], met)
	}
}

// checkFields refuses fields that no object of their kind has, which would check nothing.
func checkFields(fields []Field, met []FieldResult) error {
	for i, f := range fields {
		if met[i] == NoValue {
			return registry.Usagef("field %s: no %s has a value there", f, f.Kind)
		}
	}
	return nil
}

// namedFile is a file to read.
type namedFile struct {
	name   string
	listed bool   // found in a folder
	data   []byte // of one that is not listed
	over   []File // Compose files that override it
}

// readNamed reads the files that the user named. The Compose files among them form one project.
func readNamed(ctx context.Context, files []namedFile, in io.Reader) (all []namedFile, err error) {
	first := -1
	for _, f := range files {
		if f.listed {
			all = append(all, f)
			continue
		}
		if f.data, err = ReadFile(ctx, f.name, in); err != nil {
			return nil, err
		}
		switch {
		case len(files) == 1 || !IsCompose(f.name, f.data):
		case first < 0:
			first = len(all)
		default:
			all[first].over = append(all[first].over, File{Name: f.name, Data: f.data})
			continue
		}
		all = append(all, f)
	}
	return all, nil
}

// maxWorkloads limits the number of files in all folders.
const maxWorkloads = 100_000

func listFiles(names []string) ([]namedFile, error) {
	var files []namedFile
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			files = append(files, namedFile{name: name}) // reading it reports a missing file
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
				files = append(files, namedFile{name: path, listed: true})
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

// leadsToFolder reports whether a link leads to a folder, except "..data" in folders that Kubernetes mounts, whose
// files also have links outside of it.
func leadsToFolder(link string) bool {
	info, err := os.Stat(link)
	return err == nil && info.IsDir() && filepath.Base(link) != "..data"
}

// find reads the file and those that it refers to.
func (f namedFile) find(fields []Field, allowed *allowedVariables) (found Found, err error) {
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
	return Read(f.name, data, Options{Env: allowed.lookup, Read: around.read, Over: f.over, Fields: fields})
}
