package registry

import (
	"errors"
	"fmt"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// CheckHub returns an error for a bare name that more likely means something else than an image of Docker Hub: a file
// or a directory that is here, an archive, or a registry. Callers check a name before they ask Docker Hub for it.
func (r Ref) CheckHub() error {
	if !r.Bare || r.Digest != (v1.Hash{}) {
		return nil
	}
	err := r.misplaced()
	if err == nil && namesTar(r.Typed) {
		err = WithKind(WithKind(errors.New("no such file"), ErrNotFound), ErrName)
	}
	return r.parsing(err)
}

// CheckTarget is CheckHub for a name that is written to. Docker Hub's library takes images of Docker only, so a name of
// one word without a registry is an error too.
func (r Ref) CheckTarget() error {
	if r.Transport == TransportContainers {
		return r.parsing(nameError("podman's own store is not written",
			"write oci-archive:FILE, which podman loads"))
	}
	if r.Transport != TransportRegistry || r.Typed == "" || r.saysRegistry() {
		return nil
	}
	err := r.misplaced()
	switch {
	case err != nil:
	case namesTar(r.Typed):
		err = nameError("it is a file without its kind", "write oci-archive:"+r.Typed)
	case r.official():
		name := r.Familiar()
		err = nameError("it names no registry", fmt.Sprintf(
			"write HOST/%s, or store:%s for the local store; docker.io/%s is Docker's own", name, name, r.Repo))
	}
	return r.parsing(err)
}

// saysRegistry reports whether the user typed the registry.
func (r Ref) saysRegistry() bool {
	t, rest, _ := cutTransport(r.Typed)
	return t == TransportRegistry || namesHost(rest)
}

// misplaced returns what the name of an image is instead; nil for the name of an image.
func (r Ref) misplaced() error {
	name, tag, tagged := strings.Cut(r.Typed, ":")
	if strings.Contains(name, ".") && !strings.Contains(name, "/") && !namesTar(r.Typed) && isPort(tag) {
		if _, err := os.Stat(name); err != nil {
			return nameError("it is a registry without a repository", "write "+r.Typed+"/NAME")
		}
	}
	switch is := pathTransport(name); {
	case tagged || is == "":
		return nil
	case is == TransportLayout:
		return nameError("it is a directory here",
			fmt.Sprintf("write oci:%s for a layout in it, docker://%s for an image", name, name))
	}
	return &FileError{name}
}

func (r Ref) parsing(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("parsing reference %q: %w", r.Typed, err)
}
