package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mtool/registry/regular"
)

// daemonFiles are where Docker Engine is configured: that of the user's own, which runs without root, before the machine's.
// https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
func daemonFiles() []string {
	files := []string{"/etc/docker/daemon.json"}
	if config, err := os.UserConfigDir(); err == nil {
		files = append([]string{filepath.Join(config, "docker", "daemon.json")}, files...)
	}
	return files
}

// withEngine adds the mirrors of docker.io that Docker Engine uses, where neither flags nor registries.yaml name any: what is
// read comes from where `docker pull` has it. A file that can't be read is the engine's trouble, and is told.
func (o EnvOptions) withEngine(files []string) EnvOptions {
	hub := o.Hosts["docker.io"]
	for _, path := range files {
		if len(hub.Mirrors) > 0 {
			break
		}
		mirrors, plain, err := daemonMirrors(path)
		if err != nil {
			o.Note("passing over the mirrors of Docker Engine: " + err.Error())
		}
		if len(mirrors) > 0 {
			hub.Mirrors = mirrors
			o.PlainHTTP = append(slices.Clone(o.PlainHTTP), plain...)
			o.Hosts = maps.Clone(o.Hosts)
			o.Hosts["docker.io"] = hub
		}
	}
	return o
}

// daemonMirrors are the registry-mirrors, which are addresses, as HOST[:PORT][/PATH], and those of them that speak plain
// HTTP. A file that is not there, or not for us, has none.
func daemonMirrors(path string) (mirrors, plain []string, err error) {
	text, err := regular.Read(path, regular.MaxText)
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
		mirror, host := MirrorPlace(address)
		if mirror == "" || !strings.Contains(address, "://") {
			return nil, nil, fmt.Errorf("reading %q: registry mirror %q is no address", path, address)
		}
		mirrors = append(mirrors, mirror)
		if host != "" {
			plain = append(plain, host)
		}
	}
	return mirrors, plain, nil
}

// MirrorPlace is HOST[:PORT][/PATH] of a mirror, which may be given as an address, and its host where that says plain HTTP.
func MirrorPlace(address string) (place, plain string) {
	scheme, place, ok := strings.Cut(strings.TrimRight(address, "/"), "://")
	if !ok {
		return scheme, ""
	}
	if host, _, _ := strings.Cut(place, "/"); scheme == "http" {
		plain = host
	}
	return place, plain
}
