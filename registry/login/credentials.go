package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"mtool/registry"
)

// Auth holds the credentials for a registry; the zero value is anonymous. Its fields are secrets: print Who, never the
// value.
type Auth struct {
	Username, Password string
	// IdentityToken is an OAuth2 refresh token, which a token server exchanges for a bearer token.
	IdentityToken string
	// RegistryToken is a bearer token, sent unchanged.
	RegistryToken string
	// From is where it was found, for messages: the file, or the helper and the file that names it. When nothing was
	// found it lists what was searched.
	From string
	// Missing is a helper that was passed over because it is not in PATH; zero: none was.
	Missing MissingHelper
}

// Anonymous reports whether there is neither a password nor a token.
func (a Auth) Anonymous() bool {
	return a.Username == "" && a.IdentityToken == "" && a.RegistryToken == ""
}

// Who describes the login and where it was found, without secrets: "logged in as \"bob\" by …/config.json".
func (a Auth) Who(host string) string {
	if a.Missing != (MissingHelper{}) {
		return a.account(host) + "; " + a.Missing.Error()
	}
	return a.account(host)
}

func (a Auth) account(host string) string {
	switch {
	case a.Anonymous() && a.From == "":
		return "no credentials for " + host
	case a.Anonymous():
		return fmt.Sprintf("no credentials for %s in %s", host, a.From)
	case a.RegistryToken != "", a.IdentityToken != "", a.Password == "", a.Password == "x-oauth-basic":
		return "logged in with a token" + origin(" of ", a.From)
	}
	return fmt.Sprintf("logged in as %q", registry.OneLine(a.Username)) + origin(" by ", a.From)
}

// origin returns "" for a login that is only being tried.
func origin(word, from string) string {
	if from == "" {
		return ""
	}
	return word + from
}

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

var errNoEntry = errors.New("no entry")

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
		parts = append(parts, "docker's or podman's files (none exists)")
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
