package rebuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mtool/build"
	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/provenance"
	"mtool/registry"
)

// setArgs sets the options that the arguments of the frontend state.
func setArgs(b *app.BuildOptions, r provenance.Recipe) error {
	file := r.Dockerfile
	for key, value := range r.Args {
		if key == "filename" {
			file = value
			continue
		}
		err := setArg(b, key, value)
		if errors.Is(err, registry.ErrUsage) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w: its provenance says %s=%q: %w", registry.ErrContent, key, value, err)
		}
	}
	if file == "" || file == "Dockerfile" {
		return nil // the default
	}
	if !filepath.IsLocal(file) {
		return fmt.Errorf("%w: its provenance names the Dockerfile %q", registry.ErrContent, file)
	}
	b.Dockerfile = file
	if b.Context != r.Context { // a directory, where the path is from here
		b.Dockerfile = filepath.Join(b.Context, file)
	}
	return nil
}

func setArg(b *app.BuildOptions, key, value string) (err error) {
	kind, name, _ := strings.Cut(key, ":")
	switch kind {
	case "build-arg":
		if name == "BUILDKIT_SYNTAX" {
			b.Syntax = value
		}
		b.BuildArgs[name] = value
	case "label":
		b.Labels[name] = value
	case "context":
		err = setContext(b, name, value)
	case "target":
		b.Target = value
	case "add-hosts":
		b.AddHosts = strings.Split(value, ",")
	case "ulimit":
		b.Ulimits = strings.Split(value, ",")
	case "force-network-mode":
		err = setNetwork(b, value)
	case "shm-size":
		b.ShmSize, err = strconv.ParseInt(value, 10, 64)
	}
	return err
}

// setNetwork lets an image ask for the machine's network only if the user does too.
func setNetwork(b *app.BuildOptions, network string) error {
	if network == "host" && !slices.Contains(b.Allow, build.AllowNetworkHost) {
		return registry.WithHint(registry.Usagef("its provenance asks for the network of the machine"),
			"--allow "+build.AllowNetworkHost)
	}
	b.Network = network
	return nil
}

// setContext sets a named context. A base in a store is looked up by its digest.
func setContext(b *app.BuildOptions, name, value string) error {
	name, _, _ = strings.Cut(name, "::")
	if _, digest, ok := strings.Cut(value, "@"); ok && strings.HasPrefix(value, "oci-layout://") {
		b.Contexts[name] = pinned(name, digest)
		return nil
	}
	if !fetched(value) && !strings.HasPrefix(value, "docker-image://") {
		return registry.WithHint(fmt.Errorf("%w: the build context %q was not fetched", registry.ErrNotFound, name),
			"an image whose named contexts are images or addresses can be built again")
	}
	if _, given := b.Contexts[name]; !given {
		b.Contexts[name] = value
	}
	return nil
}

// fetched reports whether a context comes over a network. Provenance that anyone can write must not name files of this
// machine.
func fetched(address string) bool {
	return slices.ContainsFunc([]string{"https://", "http://", "git://", "ssh://", "git@"}, func(scheme string) bool {
		return strings.HasPrefix(address, scheme)
	})
}

// pinned returns the address of an image by its digest.
func pinned(name, digest string) string {
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name = name[:at]
	}
	return "docker-image://" + name + "@" + digest
}

func annotationsOf(image inspect.Image) map[string]string {
	var m struct{ Annotations map[string]string }
	_ = json.Unmarshal(image.Manifest.Body, &m) // inspect.Read has decoded it
	return m.Annotations
}
