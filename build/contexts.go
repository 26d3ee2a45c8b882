package build

import (
	"strings"

	"mtool/registry"
)

const (
	imageScheme  = "docker-image://"
	layoutScheme = "oci-layout://"
	storeScheme  = "store:"
)

// isImage reports whether a named build context is an image, and not a directory, a Git repository or an archive.
func isImage(given string) bool {
	for _, scheme := range []string{imageScheme, layoutScheme, storeScheme} {
		if strings.HasPrefix(given, scheme) {
			return true
		}
	}
	return false
}

// isRemote reports whether the worker fetches a named build context by itself.
func isRemote(given string) bool {
	return strings.Contains(given, "://") || strings.HasPrefix(given, "git@")
}

// contextKey is how the frontend compares the names of images with those of contexts: in the short form of a reference,
// without ":latest".
func contextKey(name string) string {
	ref, err := registry.ParseRef("docker://" + name)
	if err != nil {
		return strings.ToLower(name)
	}
	return shortName(ref)
}

// contextKeys are the contexts by contextKey.
func contextKeys(contexts map[string]string) map[string]string {
	keys := make(map[string]string, len(contexts))
	for name, given := range contexts {
		keys[contextKey(name)] = given
	}
	return keys
}

// baseRef is where the image of a base is looked for before any registry; false is nowhere.
func baseRef(b base) (registry.Ref, bool, error) {
	if rest, ok := strings.CutPrefix(b.Given, layoutScheme); ok {
		ref, err := registry.ParseRef("oci:" + rest)
		if err != nil {
			return ref, false, registry.Usagef("build context %q: %w", b.Name, err)
		}
		return ref, true, nil
	}
	if strings.HasPrefix(b.Given, storeScheme) {
		ref, err := registry.ParseRef(b.Given)
		if err != nil {
			return ref, false, registry.Usagef("build context %q: %w", b.Name, err)
		}
		return ref, true, nil
	}
	ref, err := registry.ParseRef("docker://" + b.source())
	if err != nil {
		return ref, false, nil //nolint:nilerr // BuildKit says what is wrong with it, and where
	}
	return ref.At(registry.TransportStore), true, nil
}
