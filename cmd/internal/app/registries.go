package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"mtool/compose/spec"
	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/regular"
	"mtool/registry/remote"
)

// registriesFile is read in MTOOL_HOME.
const registriesFile = "registries.yaml"

// registriesSpec is that file: mtool help registries.
type registriesSpec struct {
	Concurrency int                     `yaml:"concurrency"`
	Retry       *int                    `yaml:"retry"`
	CAFile      string                  `yaml:"ca-file"`
	Registries  map[string]registrySpec `yaml:"registries"`
}

type registrySpec struct {
	PlainHTTP     bool     `yaml:"plain-http"`
	TLSSkipVerify bool     `yaml:"tls-skip-verify"`
	CAFile        string   `yaml:"ca-file"`
	ClientCert    string   `yaml:"client-cert"`
	ClientKey     string   `yaml:"client-key"`
	Mirrors       []string `yaml:"mirrors"`
	Concurrency   int      `yaml:"concurrency"`

	Rate    float64           `yaml:"rate"`
	Headers map[string]string `yaml:"headers"`
	Resolve string            `yaml:"resolve"`
}

// withFile adds what registries.yaml in home says to what the flags say, which goes before it. No file is no setting.
func (o EnvOptions) withFile(home string) (EnvOptions, error) {
	path := filepath.Join(home, registriesFile)
	data, err := regular.Read(path, regular.MaxText)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return o, fmt.Errorf("reading settings: %w", err)
	}
	var settings registriesSpec
	if err := spec.Decode(path, data, &settings); err != nil {
		return o, registry.Usagef("reading settings %w", err)
	}
	if o, err = o.merge(settings, filepath.Dir(path)); err != nil {
		return o, registry.Usagef("reading settings %s: %w", path, err)
	}
	return o, nil
}

func (o EnvOptions) merge(spec registriesSpec, dir string) (EnvOptions, error) {
	if spec.Concurrency < 0 || spec.Retry != nil && *spec.Retry < 0 {
		return o, errors.New("concurrency and retry can't be negative")
	}
	if o.Concurrency == 0 {
		o.Concurrency = spec.Concurrency
	}
	if o.Retry == nil {
		o.Retry = spec.Retry
	}
	if spec.CAFile != "" {
		o.CAFiles = append(slices.Clone(o.CAFiles), below(dir, spec.CAFile))
	}
	hosts := map[string]remote.HostSettings{}
	for _, name := range slices.Sorted(maps.Keys(spec.Registries)) {
		host, err := login.ParseHost(name)
		if err != nil || name == "" {
			return o, fmt.Errorf("registries: %q is no HOST[:PORT]", name)
		}
		r := spec.Registries[name]
		if err := r.check(); err != nil {
			return o, fmt.Errorf("registries: %s: %w", name, err)
		}
		if r.PlainHTTP {
			o.PlainHTTP = append(slices.Clone(o.PlainHTTP), host)
		}
		if r.TLSSkipVerify {
			o.SkipVerify = append(slices.Clone(o.SkipVerify), host)
		}
		settings := remote.HostSettings{
			ClientCert: below(dir, r.ClientCert), ClientKey: below(dir, r.ClientKey), Mirrors: r.Mirrors, Concurrency: r.Concurrency,
			Rate: r.Rate, Headers: r.Headers, Resolve: r.Resolve,
		}
		if r.CAFile != "" {
			settings.CAFiles = []string{below(dir, r.CAFile)}
		}
		hosts[host] = settings
	}
	o.Hosts = overlay(hosts, o.Hosts)
	return o, nil
}

func (r registrySpec) check() error {
	if (r.ClientCert == "") != (r.ClientKey == "") || r.Concurrency < 0 || r.Rate < 0 {
		return errors.New("client-cert and client-key go together, and concurrency and rate can't be negative")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if !remote.MayHeader(name, r.Headers[name]) {
			return fmt.Errorf("headers: %q can't be set: credentials belong to mtool login, and what the specification of registries uses is mtool's", name)
		}
	}
	return nil
}

// below is a path of the file, relative to it.
func below(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// overlay is base where top says nothing.
func overlay(base, top map[string]remote.HostSettings) map[string]remote.HostSettings {
	for host, t := range top {
		b := base[host]
		b.CAFiles = append(b.CAFiles, t.CAFiles...)
		if t.ClientCert != "" {
			b.ClientCert, b.ClientKey = t.ClientCert, t.ClientKey
		}
		if len(t.Mirrors) > 0 {
			b.Mirrors = t.Mirrors
		}
		base[host] = b
	}
	return base
}

// checkFiles finds what the settings name and what is not there before anything is asked.
func (o EnvOptions) checkFiles() error {
	files := slices.Clone(o.CAFiles)
	for _, host := range slices.Sorted(maps.Keys(o.Hosts)) {
		s := o.Hosts[host]
		files = append(append(files, s.CAFiles...), s.ClientCert, s.ClientKey)
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		if _, err := regular.Read(file, regular.MaxText); err != nil {
			return registry.Usagef("reading certificates: %w", err)
		}
	}
	return nil
}

// certDirs are where docker and podman keep certificates by host.
func certDirs() []string {
	dirs := []string{"/etc/docker/certs.d", "/etc/containers/certs.d"}
	if config, err := os.UserConfigDir(); err == nil {
		dirs = append(dirs, filepath.Join(config, "docker", "certs.d"), filepath.Join(config, "containers", "certs.d"))
	}
	return dirs
}
