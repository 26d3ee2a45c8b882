package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"

	"mtool/registry/regular"
)

// authFile is docker's config.json or podman's auth.json, which share their format: containers-auth.json(5).
type authFile struct {
	path    string
	auths   map[string]json.RawMessage // decoded when used: a bad entry affects its own host only
	helpers map[string]string
	store   string
}

// authVariable holds the content of docker's config.json, for CI that keeps it as a secret:
// https://docs.docker.com/reference/cli/docker/#environment-variables
const authVariable = "DOCKER_AUTH_CONFIG"

type authLocation struct {
	path    string
	implied bool // not named by the user
}

func authLocations(getenv func(string) string) []authLocation {
	home := getenv("HOME")
	var out []authLocation
	add := func(implied bool, root string, parts ...string) {
		if root != "" {
			out = append(out, authLocation{filepath.Join(append([]string{root}, parts...)...), implied})
		}
	}
	add(false, getenv("REGISTRY_AUTH_FILE"))
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		add(false, dir, "config.json")
	} else {
		add(false, home, ".docker", "config.json")
	}
	add(true, getenv("XDG_RUNTIME_DIR"), "containers", "auth.json")
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		add(true, dir, "containers", "auth.json")
	} else {
		add(true, home, ".config", "containers", "auth.json")
	}
	return out
}

func readAuthFile(path string) (authFile, error) {
	body, err := regular.Read(path, regular.MaxText)
	if err != nil {
		return authFile{}, err
	}
	return parseAuthFile(path, body)
}

func parseAuthFile(path string, body []byte) (authFile, error) {
	var doc struct {
		Auths       map[string]json.RawMessage `json:"auths"`
		CredHelpers map[string]string          `json:"credHelpers"`
		CredsStore  string                     `json:"credsStore"`
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return authFile{path: path}, nil
	}
	// Not wrapped: a JSON error may quote the document.
	if json.Unmarshal(body, &doc) != nil {
		return authFile{}, errors.New("it is not the JSON of docker's config.json or podman's auth.json")
	}
	return authFile{
		path: path, store: doc.CredsStore,
		auths: normalizeKeys(doc.Auths), helpers: normalizeKeys(doc.CredHelpers),
	}, nil
}

// normalizeKeys turns "https://index.docker.io/v1/" and the like into host[/path]. A key that is already written so
// wins.
func normalizeKeys[V any](m map[string]V) map[string]V {
	out := make(map[string]V, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		short := normalizeKey(key)
		if _, taken := out[short]; !taken || short == key {
			out[short] = m[key]
		}
	}
	return out
}

func normalizeKey(key string) string {
	_, rest, isURL := strings.Cut(key, "://")
	if !isURL {
		return strings.TrimRight(key, "/")
	}
	rest = strings.TrimRight(rest, "/")
	if host, version, ok := strings.Cut(rest, "/"); ok && (version == "v1" || version == "v2") {
		return host
	}
	return rest
}

// entry returns errNoEntry for a missing entry, and for the empty one that docker leaves when a helper has it.
func (f authFile) entry(key string) (Auth, error) {
	raw, ok := f.auths[key]
	if !ok {
		return Auth{}, errNoEntry
	}
	var a authn.AuthConfig
	// Not wrapped, as above.
	if json.Unmarshal(raw, &a) != nil {
		return Auth{}, fmt.Errorf("reading the entry %q in %q: it has no readable user name and password", key, f.path)
	}
	// docker pads passwords with NUL bytes: https://github.com/docker/cli/blob/master/cli/config/configfile/file.go
	auth := Auth{
		Username: a.Username, Password: strings.Trim(a.Password, "\x00"),
		IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
	}
	if auth.Anonymous() {
		return Auth{}, errNoEntry
	}
	auth.From = f.path
	return auth, nil
}
