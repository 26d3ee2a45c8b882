package build

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mtool/registry"
)

// prepareExtras refuses what can't be carried out, and makes paths absolute.
func prepareExtras(s Spec) (Spec, error) {
	for _, secret := range s.Secrets {
		if err := checkSecret(secret); err != nil {
			return s, err
		}
	}
	for _, host := range s.AddHosts {
		if name, ip, ok := strings.Cut(host, "="); !ok || name == "" || net.ParseIP(ip) == nil {
			return s, registry.Usagef("added host %q is not HOST=IP", host)
		}
	}
	if modes := []string{"", "default", "none", "host"}; !slices.Contains(modes, s.Network) {
		return s, registry.Usagef("network %q is none of default, none, host", s.Network)
	}
	for _, e := range s.Exports {
		if e.Archive != nil && len(s.Platforms) > 1 {
			return s, registry.Usagef("one %s archive can't hold %d platforms: type=local makes a directory for each, type=oci with -t a list", e.Type, len(s.Platforms))
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

// maxSecret is BuildKit's limit. https://github.com/moby/buildkit/blob/master/session/secrets/secretsprovider/secretsprovider.go
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
			return s, registry.Usagef("build context %s=%q: no such directory; an image is docker-image://NAME or store:NAME", name, given)
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
