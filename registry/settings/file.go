package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/regular"
	"mtool/registry/remote"
	"mtool/registry/strictyaml"
)

// file is the content of registries.yaml.
type file struct {
	Concurrency int             `yaml:"concurrency"`
	Retry       *int            `yaml:"retry"`
	CAFile      string          `yaml:"ca-file"`
	Registries  map[string]host `yaml:"registries"`
}

// host holds the settings of one registry.
type host struct {
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

// ErrHeader says that a header is the client's own: credentials, and what the specification of registries uses.
var ErrHeader = errors.New("can't be set: it is for credentials, or for the protocol of registries")

// ErrMirror says that the address of a mirror holds a user name or a password.
var ErrMirror = errors.New("its address takes no user and password")

// Read returns o completed by the file at path, which may be missing, then by the mirrors of Docker Engine, and by the
// folders in which docker and podman keep certificates. What o sets takes precedence. Read checks that every named file
// is readable. It passes to o.Note what it skips.
func Read(path string, o remote.Options) (remote.Options, error) {
	o, err := withFile(path, o)
	if err != nil {
		return o, err
	}
	o = withEngine(o, engineFiles())
	o.CertDirs = certDirs()
	if err := checkMirrors(o); err != nil {
		return o, err
	}
	return o, checkFiles(o)
}

func withFile(path string, o remote.Options) (remote.Options, error) {
	data, err := regular.Read(path, regular.MaxText)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return o, fmt.Errorf("reading settings: %w", err)
	}
	var f file
	if err := strictyaml.Decode(path, data, &f); err != nil {
		return o, registry.Usagef("reading settings %w", err)
	}
	if o, err = f.complete(o, filepath.Dir(path)); err != nil {
		return o, registry.Usagef("reading settings %s: %w", path, err)
	}
	return o, nil
}

// complete returns o with the file's settings where o has none. Paths in the file are relative to dir.
func (f file) complete(o remote.Options, dir string) (remote.Options, error) {
	if f.Concurrency < 0 || f.Retry != nil && *f.Retry < 0 {
		return o, errors.New("concurrency and retry can't be negative")
	}
	o.Concurrency = cmp.Or(o.Concurrency, f.Concurrency)
	if o.Attempts == 0 && f.Retry != nil {
		o.Attempts = *f.Retry + 1
	}
	if f.CAFile != "" {
		o.CAFiles = append(slices.Clone(o.CAFiles), pathIn(dir, f.CAFile))
	}
	hosts := map[string]remote.HostSettings{}
	for _, name := range slices.Sorted(maps.Keys(f.Registries)) {
		host, err := login.ParseHost(name)
		if err != nil || name == "" {
			return o, fmt.Errorf("registries: %q is not HOST[:PORT]", name)
		}
		h := f.Registries[name]
		if err := h.check(); err != nil {
			return o, fmt.Errorf("registries: %s: %w", name, err)
		}
		if h.PlainHTTP {
			o.PlainHTTP = append(slices.Clone(o.PlainHTTP), host)
		}
		if h.TLSSkipVerify {
			o.SkipVerify = append(slices.Clone(o.SkipVerify), host)
		}
		hosts[host] = h.settings(dir)
	}
	o.Hosts = overlay(hosts, o.Hosts)
	return o, nil
}

func (h host) settings(dir string) remote.HostSettings {
	s := remote.HostSettings{
		ClientCert: pathIn(dir, h.ClientCert), ClientKey: pathIn(dir, h.ClientKey), Mirrors: h.Mirrors,
		Concurrency: h.Concurrency,
		Rate:        h.Rate, Headers: h.Headers, Resolve: h.Resolve,
	}
	if h.CAFile != "" {
		s.CAFiles = []string{pathIn(dir, h.CAFile)}
	}
	return s
}

func (h host) check() error {
	if (h.ClientCert == "") != (h.ClientKey == "") || h.Concurrency < 0 || h.Rate < 0 {
		return errors.New("client-cert and client-key go together, and concurrency and rate can't be negative")
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		if !remote.AllowedHeader(name, h.Headers[name]) {
			return fmt.Errorf("headers: %q %w", name, ErrHeader)
		}
	}
	return nil
}

// pathIn returns a path in the file, resolved against dir.
func pathIn(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// checkFiles returns an error if a file that the settings name can't be read, before any request is sent.
func checkFiles(o remote.Options) error {
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

// checkMirrors refuses credentials in the addresses of mirrors, which are printed and logged.
func checkMirrors(o remote.Options) error {
	for _, host := range slices.Sorted(maps.Keys(o.Hosts)) {
		for _, mirror := range o.Hosts[host].Mirrors {
			if address, _, _ := strings.Cut(mirror, "/"); strings.Contains(address, "@") {
				return registry.Usagef("mirror of %s: %w", host, ErrMirror)
			}
		}
	}
	return nil
}

// certDirs returns where docker and podman keep certificates by host.
func certDirs() []string {
	dirs := []string{"/etc/docker/certs.d", "/etc/containers/certs.d"}
	if config, err := os.UserConfigDir(); err == nil {
		dirs = append(dirs, filepath.Join(config, "docker", "certs.d"), filepath.Join(config, "containers", "certs.d"))
	}
	return dirs
}
