package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mtool/registry"
	"mtool/registry/regular"
)

// endpoint is where an engine listens, and which setting names it.
type endpoint struct {
	host string // "unix:///var/run/docker.sock", "tcp://10.0.0.1:2376", "ssh://user@host"
	from string // "DOCKER_HOST", "docker's context \"x\"", "the default"

	tlsDir     string // ca.pem, cert.pem and key.pem, those that exist; "" is no TLS
	skipVerify bool
}

// defaultHost is where docker listens on Linux.
const defaultHost = "unix:///var/run/docker.sock"

// find searches as the docker command does: DOCKER_HOST, then the context that DOCKER_CONTEXT or currentContext in
// docker's config.json names, then the default: https://docs.docker.com/engine/manage-resources/contexts/
func find(getenv func(string) string) (endpoint, error) {
	if host := getenv("DOCKER_HOST"); host != "" {
		return fromEnvironment(host, getenv), nil
	}
	dir := cmp.Or(getenv("DOCKER_CONFIG"), filepath.Join(getenv("HOME"), ".docker"))
	name, from := getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		var err error
		from = filepath.Join(dir, "config.json")
		if name, err = currentContext(from); err != nil {
			return endpoint{}, err
		}
	}
	if name == "" || name == "default" {
		return endpoint{host: defaultHost, from: "docker's default"}, nil
	}
	e, err := readContext(dir, name)
	if err != nil {
		return endpoint{}, fmt.Errorf("reading docker's context %q, which %s names: %w", name, from, err)
	}
	return e, nil
}

// fromEnvironment returns the endpoint of DOCKER_HOST, to which alone DOCKER_TLS_VERIFY and DOCKER_CERT_PATH apply.
func fromEnvironment(host string, getenv func(string) string) endpoint {
	e := endpoint{host: host, from: "DOCKER_HOST", tlsDir: getenv("DOCKER_CERT_PATH")}
	verify := getenv("DOCKER_TLS_VERIFY") != ""
	e.skipVerify = !verify
	if verify && e.tlsDir == "" {
		e.tlsDir = cmp.Or(getenv("DOCKER_CONFIG"), filepath.Join(getenv("HOME"), ".docker"))
	}
	return e
}

func currentContext(path string) (string, error) {
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	err := readJSON(path, &config)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return config.CurrentContext, err
}

// readContext reads the files that "docker context create" writes below the SHA-256 of the context's name.
func readContext(dir, name string) (endpoint, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	err := readJSON(filepath.Join(dir, "contexts", "meta", id, "meta.json"), &meta)
	if errors.Is(err, fs.ErrNotExist) {
		return endpoint{}, registry.WithHint(fmt.Errorf("no such context in %q: %w", filepath.Join(dir, "contexts"),
			registry.ErrNotFound), "docker context ls")
	}
	if err != nil {
		return endpoint{}, err
	}
	docker, ok := meta.Endpoints["docker"]
	if !ok || docker.Host == "" {
		return endpoint{}, registry.WithKind(errors.New("it has no docker endpoint"), registry.ErrContent)
	}
	e := endpoint{host: docker.Host, from: fmt.Sprintf("docker's context %q", name), skipVerify: docker.SkipTLSVerify}
	if tls := filepath.Join(dir, "contexts", "tls", id, "docker"); exists(tls) {
		e.tlsDir = tls
	}
	return e, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readJSON hides the decoder's error: docker's config.json holds passwords.
func readJSON(path string, into any) error {
	data, err := regular.Read(path, regular.MaxText)
	if err != nil {
		return err
	}
	if json.Unmarshal(data, into) != nil {
		return registry.WithKind(fmt.Errorf("reading %q: it is not the JSON that docker writes", path),
			registry.ErrContent)
	}
	return nil
}
