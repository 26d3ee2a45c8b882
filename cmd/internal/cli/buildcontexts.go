package cli

import (
	"regexp"
	"strings"

	buildcontext "mtool/build/context"
	"mtool/registry"
)

const contextForms = "a directory, docker-image://REF, oci-layout://DIR[:TAG], store:REF, or the address of a Git repository or a file"

// parseContexts reads NAME=PLACE. Other transports, and what only docker buildx bake has, are refused with what works
// here the same.
func parseContexts(values []string) (map[string]string, error) {
	contexts, err := parsePairs("--build-context", values)
	if err != nil {
		return nil, err
	}
	for name, place := range contexts {
		if err := checkContext(name, place); err != nil {
			return nil, err
		}
	}
	return contexts, nil
}

func checkContext(name, place string) error {
	if place == "" || place == "-" {
		return usagef("--build-context "+name+"=DIR", "--build-context %s: standard input can't be a named context: %s", name,
			contextForms)
	}
	scheme := regexp.MustCompile(`^([a-z][a-z-]+):`).FindStringSubmatch(place)
	switch {
	case scheme != nil && strings.Trim(strings.TrimPrefix(place, scheme[0]), "/ ") == "":
		return usagef("", "--build-context %s: %q names nothing behind its scheme (an unset variable?)", name, place)
	case scheme == nil || strings.HasPrefix(place, "store:") || strings.HasPrefix(place, "docker-image://") ||
		strings.HasPrefix(place, "oci-layout://"):
		return nil
	case buildcontext.IsRemote(place) && scheme[1] != "file":
		return nil
	case scheme[1] == "target":
		stage := strings.TrimPrefix(place, "target:")
		return usagef("mtool build --target "+stage+" -t "+stage+":latest . first, then --build-context "+name+"=store:"+
			stage+":latest",
			"--build-context %s: %q is another target of a bake file, and there is none here", name, place)
	}
	return notAContext(name, place)
}

// notAContext is the error for a place of another form. What mtool can copy into the store is answered with how.
func notAContext(name, place string) error {
	if ref, err := registry.ParseRef(place); err == nil && ref.Transport != "" &&
		ref.Transport != registry.TransportRegistry {
		image := strings.TrimPrefix(place, string(ref.Transport)+":")
		if ref.IsFile() {
			image = name + ":latest"
		}
		return usagef("mtool copy "+place+" store:"+image+" first, then --build-context "+name+"=store:"+image,
			"--build-context %s: %q is none of %s", name, place, contextForms)
	}
	return usagef("", "--build-context %s: %q is none of %s", name, place, contextForms)
}
