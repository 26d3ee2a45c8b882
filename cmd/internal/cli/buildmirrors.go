package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"mtool/cmd/internal/flow"
)

// daemonFile is where Docker Engine is configured. https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
const daemonFile = "/etc/docker/daemon.json"

// buildEnv is env with the mirrors of docker.io that Docker Engine uses, where neither flags nor registries.yaml name any:
// what a build fetches is what docker build would.
func (a *app) buildEnv(daemon string) (*flow.Env, error) {
	env, err := a.env()
	if err != nil || len(env.Transport.Hosts["docker.io"].Mirrors) > 0 {
		return env, err
	}
	mirrors, plain, err := daemonMirrors(daemon)
	if err != nil || len(mirrors) == 0 {
		return env, err
	}
	for _, m := range mirrors {
		a.mirrors = append(a.mirrors, "docker.io="+m)
	}
	a.plainHTTP = append(a.plainHTTP, plain...)
	return a.env()
}

// daemonMirrors are the registry-mirrors, which are addresses, as HOST[:PORT][/PATH], and those of them that speak plain
// HTTP. A file that is not there, or not for us, has none.
func daemonMirrors(path string) (mirrors, plain []string, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil, nil
	}
	var config struct {
		Mirrors []string `json:"registry-mirrors"`
	}
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading %q: %w", path, err)
	}
	for _, address := range config.Mirrors {
		scheme, mirror, ok := strings.Cut(strings.TrimRight(address, "/"), "://")
		if !ok || mirror == "" {
			return nil, nil, fmt.Errorf("reading %q: registry mirror %q is no address", path, address)
		}
		mirrors = append(mirrors, mirror)
		if host, _, _ := strings.Cut(mirror, "/"); scheme == "http" {
			plain = append(plain, host)
		}
	}
	return mirrors, plain, nil
}
