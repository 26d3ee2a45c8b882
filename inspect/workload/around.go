package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mtool/registry"
	"mtool/registry/regular"
)

// ErrOutside means that a file refers to another one outside the folders that it may refer to.
var ErrOutside = errors.New("it lies outside")

// surroundings are the files that a file may refer to: those below the working directory or, if the file lies
// elsewhere, below its folder. So the author of a file can't choose among all files of the machine.
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
		err = registry.WithKind(fmt.Errorf("reading %q: no such file", file), registry.ErrNotFound)
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
		return nil, fmt.Errorf("%w of %q", ErrOutside, s.Name())
	}
	data, err := regular.ReadIn(s.Root, name, regular.MaxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	return data, err
}

// maxFile limits the size of one file in bytes. The nodes of a cluster with thousands of them need some dozens of
// megabytes.
const maxFile = 128 << 20

// ReadFile reads a file that the user named; "-" means in.
func ReadFile(ctx context.Context, name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		data, err := regular.ReadAll(ctx, in, maxFile)
		if err != nil {
			err = fmt.Errorf("reading standard input: %w", err)
		}
		return data, err
	}
	data, err := regular.ReadTyped(ctx, name, maxFile)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, registry.WithKind(fmt.Errorf("reading %q: no such file", name), registry.ErrNotFound)
	case errors.Is(err, regular.ErrFile):
		return nil, fmt.Errorf("reading workloads: %w", err)
	}
	return data, err
}
