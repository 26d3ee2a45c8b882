package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"mtool/registry"
)

// Credentials looks up credentials in the files of docker and podman and with their credential helpers. A helper runs
// when it is first needed, once for each host. A nil *Credentials has none. It is safe for use from several goroutines.
type Credentials struct {
	fixed   map[string]Auth // by host, before all files
	files   []authFile
	skipped []string // what was skipped, and why; shown when access is denied
	helper  func(ctx context.Context, name, server string) (Auth, error)

	mu     sync.Mutex
	helped map[helpKey]helped
}

func newCredentials() *Credentials {
	return &Credentials{helper: runHelper, helped: map[helpKey]helped{}}
}

// helpKey is what a helper is asked once.
type helpKey struct{ name, host, path string }

type helped struct {
	auth Auth
	err  error
}

// For returns the entry with the most specific key, over all files: host/ns/repo, host/ns, host; Docker Hub's host has
// three spellings. Within one file and key, a helper wins over credsStore, and credsStore over the entry in the file.
// Without an entry the Auth is anonymous, and the error nil.
//
// A helper that fails is an error. A credsStore that is not in PATH is passed over, as on machines that share a
// configuration with Docker Desktop; Auth.Missing then names it.
func (c *Credentials) For(ctx context.Context, host, repo string) (Auth, error) {
	if c == nil {
		return Auth{}, nil
	}
	if auth, ok := c.fixed[host]; ok {
		return auth, nil
	}
	var missing MissingHelper
	for _, keys := range lookupKeys(host, repo) {
		for _, f := range c.files {
			auth, err := c.lookup(ctx, f, host, keys)
			missing = cmp.Or(missing, auth.Missing)
			if errors.Is(err, errNoEntry) {
				continue
			}
			if err == nil {
				auth.Missing = missing
			}
			return auth, err
		}
	}
	return Auth{From: c.read(host), Missing: missing}, nil
}

// lookup returns the entry of one file for keys, which are spellings of one name.
func (c *Credentials) lookup(ctx context.Context, f authFile, host string, keys []string) (Auth, error) {
	for _, key := range keys {
		name, ok := f.helpers[key]
		if !ok {
			continue
		}
		if auth, err := c.help(ctx, f, name, host); !errors.Is(err, errNoEntry) {
			return auth, err
		}
	}
	var missing MissingHelper
	// A store knows hosts, not repositories.
	if f.store != "" && !strings.Contains(keys[0], "/") {
		auth, err := c.help(ctx, f, f.store, host)
		if !errors.Is(err, errNoEntry) && !errors.As(err, &missing) {
			return auth, err
		}
	}
	for _, key := range keys {
		if auth, err := f.entry(key); !errors.Is(err, errNoEntry) {
			auth.Missing = missing
			return auth, err
		}
	}
	return Auth{Missing: missing}, errNoEntry
}

// help asks a helper once and keeps the answer for as long as c, unless the call was interrupted.
func (c *Credentials) help(ctx context.Context, f authFile, name, host string) (Auth, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := helpKey{name, host, f.path}
	if h, ok := c.helped[key]; ok {
		return h.auth, h.err
	}
	var auth Auth
	err := errNoEntry
	for _, server := range helperServers(host) {
		if auth, err = c.helper(ctx, name, server); !errors.Is(err, errNoEntry) {
			break
		}
	}
	if ctx.Err() != nil {
		return Auth{}, context.Cause(ctx)
	}
	switch {
	case err == nil:
		auth.From = fmt.Sprintf("docker-credential-%s (named in %s)", name, f.path)
	case !errors.Is(err, errNoEntry):
		err = helperError("reading", name, f.path, host, err)
	}
	c.helped[key] = helped{auth, err}
	return auth, err
}

// read lists what a lookup has searched, for the message that it found nothing.
func (c *Credentials) read(host string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var parts []string
	for _, f := range c.files {
		part := f.path
		var missing MissingHelper
		if f.store != "" && !errors.As(c.helped[helpKey{f.store, host, f.path}].err, &missing) {
			part += " and docker-credential-" + f.store
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, "any file of docker or podman")
	}
	return strings.Join(append(parts, c.skipped...), ", ")
}

// lookupKeys returns the keys from the most specific to the least, each with its spellings.
func lookupKeys(host, repo string) [][]string {
	hosts := []string{host}
	if isHub(host) {
		hosts = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}
	}
	var keys [][]string
	for path := repo; path != ""; {
		var spelled []string
		for _, h := range hosts {
			spelled = append(spelled, h+"/"+path)
		}
		keys = append(keys, spelled)
		cut := strings.LastIndex(path, "/")
		path = path[:max(cut, 0)]
	}
	return append(keys, hosts)
}

func isHub(host string) bool {
	return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io"
}

// helperServers returns the names under which a helper may have a host: docker logs in to Docker Hub under a URL.
func helperServers(host string) []string {
	if isHub(host) {
		return []string{"https://index.docker.io/v1/", "docker.io"}
	}
	return []string{host}
}

// Fixed returns the same credentials for every repository of one host, to try a login with.
func Fixed(host string, auth Auth) *Credentials {
	c := newCredentials()
	c.fixed = map[string]Auth{host: auth}
	return c
}

// Prefer makes auth the credentials for every repository of a host, whatever the files have. It must be called before
// the first For.
func (c *Credentials) Prefer(host string, auth Auth) {
	if c.fixed == nil {
		c.fixed = map[string]Auth{}
	}
	c.fixed[host] = auth
}

// ParseHost returns the registry host that s names, as references spell it. It accepts what people paste: a URL, and
// Docker Hub under any of its names; "" is Docker Hub.
func ParseHost(s string) (string, error) {
	host := normalizeKey(s)
	if host == "" || isHub(host) {
		return "docker.io", nil
	}
	ref, err := registry.ParseRef("docker://" + host + "/x")
	if err != nil || ref.Host != host {
		return "", fmt.Errorf("parsing registry %q: %w: it is not HOST[:PORT]", s, registry.ErrName)
	}
	return host, nil
}

// Default reads $DOCKER_AUTH_CONFIG, which holds such a document itself, and the existing ones of these files:
// $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json (~/.docker/config.json if that is not set),
// $XDG_RUNTIME_DIR/containers/auth.json and $XDG_CONFIG_HOME/containers/auth.json (~/.config). A file that can't be
// read or is not JSON is an error, unless it is podman's own and belongs to another user.
func Default() (*Credentials, error) {
	c := newCredentials()
	if text := os.Getenv(authVariable); text != "" {
		f, err := parseAuthFile(authVariable, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("reading credentials in the variable %s: %w", authVariable, err)
		}
		c.files = append(c.files, f)
	}
	for _, l := range authLocations(os.Getenv) {
		f, err := readAuthFile(l.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, fs.ErrPermission) && l.implied:
			c.skipped = append(c.skipped, l.path+" (not readable)")
		case err != nil:
			return nil, fmt.Errorf("reading credentials %q: %w", l.path, err)
		default:
			c.files = append(c.files, f)
		}
	}
	return c, nil
}

// Parse reads one document in the format of docker's config.json. name is its origin for messages.
func Parse(name string, document []byte) (*Credentials, error) {
	f, err := parseAuthFile(name, document)
	if err != nil {
		return nil, fmt.Errorf("reading credentials %q: %w", name, err)
	}
	c := newCredentials()
	c.files = []authFile{f}
	return c, nil
}
