package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mtool/registry"
	"mtool/registry/regular"
)

const ignoreFile = ".dockerignore"

// checkIgnores reads the files that say what is not for the image. BuildKit takes one that can't be read for one that is not
// there, and what it names is shipped.
func checkIgnores(s Spec) error {
	err := checkIgnore(filepath.Dir(s.Dockerfile), filepath.Base(s.Dockerfile)+ignoreFile)
	if err != nil {
		return err
	}
	dirs := []string{s.Context}
	for _, given := range s.Contexts {
		if filepath.IsAbs(given) { // a directory
			dirs = append(dirs, given)
		}
	}
	slices.Sort(dirs[1:])
	for _, dir := range dirs {
		if err := checkIgnore(dir, ignoreFile); err != nil {
			return err
		}
	}
	return nil
}

// checkIgnore reads one as a worker does, which has the directory dir and nothing else.
func checkIgnore(dir, name string) error {
	path := filepath.Join(dir, name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("reading %q: %w", path, err)
	}
	defer root.Close() //nolint:errcheck // opened for reading only
	_, err = regular.ReadIn(root, name, maxIgnore)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return registry.Usagef("%q is a link to something that is not there", path)
	case errors.Is(err, regular.ErrFile):
		return registry.Usagef("reading %q: %v", path, err)
	case err != nil:
		return fmt.Errorf("reading %q: %w", path, err)
	}
	return nil
}

// maxIgnore is more than BuildKit reads.
const maxIgnore = 1 << 26
