package settings

import (
	"cmp"
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
	"mtool/registry/remote"
)

// engineFiles returns the configuration files of Docker Engine: the one of the user's rootless engine, then the
// machine's. https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
func engineFiles() []string {
	files := []string{"/etc/docker/daemon.json"}
	if config, err := os.UserConfigDir(); err == nil {
		files = append([]string{filepath.Join(config, "docker", "daemon.json")}, files...)
	}
	return files
}

// withEngine adds the mirrors of docker.io that Docker Engine uses, where o names none: what is read comes from where
// `docker pull` has it. A file that can't be read is only noted.
func withEngine(o remote.Options, files []string) remote.Options {
	for _, path := range files {
		if len(o.Hosts["docker.io"].Mirrors) > 0 {
			break
		}
		mirrors, plain, err := engineMirrors(path)
		if err != nil && o.Note != nil {
			o.Note("passing over the mirrors of Docker Engine: " + err.Error())
		}
		if len(mirrors) > 0 {
			o.PlainHTTP = append(slices.Clone(o.PlainHTTP), plain...)
			o.Hosts = overlay(map[string]remote.HostSettings{"docker.io": {Mirrors: mirrors}}, o.Hosts)
		}
	}
	return o
}

// engineMirrors returns the registry-mirrors, which are addresses, as HOST[:PORT][/PATH], and those of them that speak
// plain HTTP. A file that is missing or not readable has none.
func engineMirrors(path string) (mirrors, plain []string, err error) {
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
		mirror, host := ParseMirror(address)
		if mirror == "" || !strings.Contains(address, "://") {
			return nil, nil, fmt.Errorf("reading %q: registry mirror %q is not an address", path, address)
		}
		mirrors = append(mirrors, mirror)
		if host != "" {
			plain = append(plain, host)
		}
	}
	return mirrors, plain, nil
}

// ParseMirror returns HOST[:PORT][/PATH] of a mirror, which may be given as an address, and its host where that says
// plain HTTP.
func ParseMirror(address string) (mirror, plain string) {
	scheme, mirror, ok := strings.Cut(strings.TrimRight(address, "/"), "://")
	if !ok {
		return scheme, ""
	}
	if host, _, _ := strings.Cut(mirror, "/"); scheme == "http" {
		plain = host
	}
	return mirror, plain
}

// overlay returns top, completed by base.
func overlay(base, top map[string]remote.HostSettings) map[string]remote.HostSettings {
	all := map[string]remote.HostSettings{}
	maps.Copy(all, top)
	for host, b := range base {
		t := all[host]
		t.CAFiles = slices.Concat(b.CAFiles, t.CAFiles)
		if t.ClientCert == "" {
			t.ClientCert, t.ClientKey = b.ClientCert, b.ClientKey
		}
		if len(t.Mirrors) == 0 {
			t.Mirrors = b.Mirrors
		}
		if t.Headers == nil {
			t.Headers = b.Headers
		}
		t.Concurrency, t.Rate = cmp.Or(t.Concurrency, b.Concurrency), cmp.Or(t.Rate, b.Rate)
		t.Resolve = cmp.Or(t.Resolve, b.Resolve)
		all[host] = t
	}
	return all
}
