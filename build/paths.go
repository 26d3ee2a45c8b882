package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

func preparePaths(s Spec) (_ Spec, err error) {
	if s.Dockerfile == "-" {
		return s, registry.Usagef("a Dockerfile from standard input is not supported: write it to a file")
	}
	given := s.Context
	if s.Context, err = filepath.Abs(s.Context); err != nil {
		return s, err
	}
	switch info, err := os.Stat(s.Context); {
	case errors.Is(err, fs.ErrNotExist):
		return s, registry.Usagef("build context %q: no such directory", given)
	case err != nil:
		return s, fmt.Errorf("reading build context %q: %w", given, err)
	case !info.IsDir():
		return s, registry.Usagef("build context %q is not a directory", given)
	}
	if s, err = prepareDockerfile(s); err != nil {
		return s, err
	}
	return s, checkOutputs(s)
}

// prepareDockerfile opens the Dockerfile once. In the context it must not be a link out of it: the author of a
// context may not choose files of this machine. Elsewhere the user named it, so it may be a link.
func prepareDockerfile(s Spec) (_ Spec, err error) {
	if s.Dockerfile == "" {
		s.Dockerfile = usualDockerfile(s.Context)
	}
	given := s.Dockerfile
	if s.Dockerfile, err = filepath.Abs(s.Dockerfile); err != nil {
		return s, err
	}
	outside, err := openDockerfile(s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, registry.Usagef("Dockerfile %q: no such file", given)
	case errors.Is(err, regular.ErrFile):
		return s, registry.Usagef("Dockerfile %v", err)
	case err != nil:
		return s, fmt.Errorf("reading Dockerfile %q: %w", given, err)
	}
	// The worker gets the directory of the Dockerfile: a link out of it would lead nowhere there.
	dir, err := filepath.EvalSymlinks(filepath.Dir(s.Dockerfile))
	if err != nil {
		return s, err
	}
	named := filepath.Join(dir, filepath.Base(s.Dockerfile))
	s.Dockerfile, err = filepath.EvalSymlinks(s.Dockerfile)
	s.DockerfileLinked = outside && s.Dockerfile != named
	return s, err
}

// usualDockerfile returns the first existing file of those that docker and podman look for, or else the first name.
func usualDockerfile(context string) string {
	names := []string{"Dockerfile", "dockerfile", "Containerfile"}
	for _, name := range names {
		path := filepath.Join(context, name)
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return filepath.Join(context, names[0])
}

// openDockerfile checks that the Dockerfile can be read, and reports whether it is outside of the context.
func openDockerfile(s Spec) (outside bool, err error) {
	name, err := filepath.Rel(s.Context, s.Dockerfile)
	if outside = err != nil || !filepath.IsLocal(name); outside {
		f, err := regular.Open(s.Dockerfile)
		if err != nil {
			return outside, err
		}
		return outside, f.Close()
	}
	root, err := os.OpenRoot(s.Context)
	if err != nil {
		return outside, err
	}
	defer root.Close() //nolint:errcheck // a folder, opened to stay within it
	f, err := regular.OpenIn(root, name)
	if err != nil {
		return outside, err
	}
	return outside, f.Close()
}

// OutputDir returns the directory of a platform's files: its own if there are several.
func (e Export) OutputDir(p v1.Platform, several bool) string {
	if !several {
		return e.Dir
	}
	return filepath.Join(e.Dir, strings.ReplaceAll(platform.Format(p), "/", "_"))
}

// checkOutputs refuses directories of outputs that are links out of the context, or out of their own directory.
func checkOutputs(s Spec) error {
	for _, e := range s.Exports {
		if e.Dir == "" {
			continue
		}
		if err := CheckOutput(s.Context, e.Dir); err != nil {
			return err
		}
		for _, p := range s.Platforms {
			if err := regular.StaysIn(e.Dir, e.OutputDir(platform.Normalize(p), len(s.Platforms) > 1)); err != nil {
				return outputError(e.Dir, err)
			}
		}
	}
	return nil
}

// CheckOutput refuses a path below the context if a link leads out of it: the author of a context may not choose
// where mtool writes.
func CheckOutput(context, path string) error {
	if err := regular.StaysIn(context, path); err != nil {
		return outputError(path, err)
	}
	return nil
}

func outputError(path string, err error) error {
	if errors.Is(err, regular.ErrFile) {
		return registry.Usagef("output %q: %v: name where it leads, if that is meant", path, err)
	}
	return fmt.Errorf("checking output %q: %w", path, err)
}
