package build

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

// prepareExtras refuses impossible options and makes paths absolute.
func prepareExtras(s Spec) (Spec, error) {
	for _, secret := range s.Secrets {
		if err := checkSecret(secret); err != nil {
			return s, err
		}
	}
	for _, host := range s.AddHosts {
		if name, ip, ok := strings.Cut(host, "="); !ok || name == "" || ip != hostGateway && net.ParseIP(ip) == nil {
			return s, registry.Usagef("added host %q is neither HOST=IP nor HOST=%s", host, hostGateway)
		}
	}
	if modes := []string{"", "default", "none", "host", "sandbox"}; !slices.Contains(modes, s.Network) {
		return s, registry.Usagef("network %q is not one of default, none, host, sandbox", s.Network)
	}
	for _, e := range s.Exports {
		if e.Archive != nil && len(s.Platforms) > 1 {
			return s, registry.Usagef(
				"one %s archive can't hold %d platforms: type=local makes a directory for each, and type=oci of a named build holds a list",
				e.Type, len(s.Platforms))
		}
	}
	return prepareContexts(s)
}

func checkSecret(secret Secret) error {
	if secret.ID == "" {
		return registry.Usagef("a secret needs an id")
	}
	if secret.Env != "" {
		if _, ok := os.LookupEnv(secret.Env); !ok {
			return registry.Usagef("secret %q: the environment has no %s", secret.ID, secret.Env)
		}
		return nil
	}
	switch info, err := os.Stat(secret.File); {
	case errors.Is(err, fs.ErrNotExist):
		return registry.Usagef("secret %q: %q: no such file", secret.ID, secret.File)
	case err != nil:
		return fmt.Errorf("reading secret %q: %w", secret.ID, err)
	case !info.Mode().IsRegular():
		return registry.Usagef("secret %q: %q is not a regular file", secret.ID, secret.File)
	case info.Size() > maxSecret:
		return registry.Usagef("secret %q: %q has %d bytes; %d are the most", secret.ID, secret.File, info.Size(), maxSecret)
	}
	return nil
}

// maxSecret is BuildKit's limit.
// https://github.com/moby/buildkit/blob/master/session/secrets/secretsprovider/secretsprovider.go
const maxSecret = 500 << 10

// prepareContexts makes the directories among the named contexts absolute.
func prepareContexts(s Spec) (Spec, error) {
	s.Contexts = maps.Clone(s.Contexts)
	for name, given := range s.Contexts {
		if strings.Contains(given, "://") || strings.HasPrefix(given, "store:") || strings.HasPrefix(given, "git@") {
			continue
		}
		switch info, err := os.Stat(given); {
		case errors.Is(err, fs.ErrNotExist):
			return s, registry.Usagef("build context %s=%q: no such directory; an image is docker-image://NAME or store:NAME",
				name, given)
		case err != nil:
			return s, fmt.Errorf("reading build context %s=%q: %w", name, given, err)
		case !info.IsDir():
			return s, registry.Usagef("build context %s=%q is not a directory", name, given)
		}
		abs, err := filepath.Abs(given)
		if err != nil {
			return s, err
		}
		s.Contexts[name] = abs
	}
	return s, nil
}

const ignoreFile = ".dockerignore"

// checkIgnores checks that ignore files can be read. BuildKit takes an unreadable one for a missing one and would
// send the ignored files.
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

// checkIgnore reads an ignore file as a worker does, which only sees the directory dir.
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
		return registry.Usagef("%q is a link to a missing file", path)
	case errors.Is(err, regular.ErrFile):
		return registry.Usagef("reading %q: %v", path, err)
	case err != nil:
		return fmt.Errorf("reading %q: %w", path, err)
	}
	return nil
}

// maxIgnore is more than BuildKit reads.
const maxIgnore = 1 << 26

// prepareSpec sets defaults and refuses what can't be built, before anything starts.
func prepareSpec(s Spec) (Spec, error) {
	if len(s.Platforms) == 0 {
		return s, registry.Usagef("no platform to build for")
	}
	s.Platforms = slices.Clone(s.Platforms)
	for i, p := range s.Platforms {
		s.Platforms[i] = platform.Normalize(p)
	}
	s.several = len(s.Platforms) > 1
	if err := checkOptional(s); err != nil {
		return s, err
	}
	if s.Out == nil {
		s.Out = io.Discard
	}
	if s.Progress == "" {
		s.Progress = "auto"
	}
	if modes := []string{"auto", "plain", "tty", "quiet", "rawjson"}; !slices.Contains(modes, s.Progress) {
		return s, registry.Usagef("progress %q is not one of %v", s.Progress, modes)
	}
	s, err := preparePaths(s)
	if err != nil {
		return s, err
	}
	if s, err = prepareExtras(s); err != nil {
		return s, err
	}
	return s, checkIgnores(s)
}
