package login

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mtool/registry"
	"mtool/registry/regular"
)

// Save stores auth for host where docker would: with the credential helper that the file names for the host, else with
// its credsStore, else in the file, which is $REGISTRY_AUTH_FILE or docker's config.json. It returns where that was.
// The rest of the file stays as it is, and other users can't read it.
func Save(ctx context.Context, host string, auth Auth) (where string, err error) {
	f, err := openLoginFile(os.Getenv)
	if err != nil {
		return "", err
	}
	if name := f.helperOf(host); name != "" {
		if err := storeInHelper(ctx, name, helperServers(host)[0], auth); err != nil {
			return "", helperError("saving", name, f.path, host, err)
		}
		// docker leaves an empty entry to show that the helper has one.
		return "docker-credential-" + name, f.setEntry(host, map[string]string{})
	}
	entry := map[string]string{}
	if auth.Username != "" {
		entry["auth"] = base64.StdEncoding.EncodeToString([]byte(auth.Username + ":" + auth.Password))
	}
	if auth.IdentityToken != "" {
		entry["identitytoken"] = auth.IdentityToken
	}
	return f.path, f.setEntry(host, entry)
}

// Remove removes the login of host from the file and from the helper that Save would use. It returns where there was
// one; "" is nowhere.
func Remove(ctx context.Context, host string) (where string, err error) {
	f, err := openLoginFile(os.Getenv)
	if err != nil {
		return "", err
	}
	var places []string
	if name := f.helperOf(host); name != "" {
		erased, err := eraseInHelper(ctx, name, helperServers(host))
		if err != nil {
			return "", helperError("removing", name, f.path, host, err)
		}
		if erased {
			places = append(places, "docker-credential-"+name)
		}
	}
	removed, err := f.removeEntry(host)
	if removed {
		places = append(places, f.path)
	}
	return strings.Join(places, " and "), err
}

// loginFile is the file that logins are written to. It keeps members that this package does not know.
type loginFile struct {
	path    string
	docker  bool // docker's own, which spells Docker Hub as a URL
	members map[string]json.RawMessage
	entries map[string]json.RawMessage // of "auths", with their keys as written
	known   authFile
}

func openLoginFile(getenv func(string) string) (*loginFile, error) {
	all := authLocations(getenv)
	if len(all) == 0 || all[0].implied {
		return nil, errors.New("finding a file for logins: set HOME, DOCKER_CONFIG or REGISTRY_AUTH_FILE")
	}
	f := &loginFile{path: all[0].path, docker: getenv("REGISTRY_AUTH_FILE") == ""}
	// A link is followed; the rename would replace it otherwise.
	if real, err := filepath.EvalSymlinks(f.path); err == nil {
		f.path = real
	}
	err := f.read()
	if err != nil {
		return nil, fmt.Errorf("reading logins %q: %w", f.path, err)
	}
	return f, nil
}

func (f *loginFile) read() (err error) {
	f.members, f.entries = map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if f.known, err = readAuthFile(f.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	body, err := regular.Read(f.path, regular.MaxText)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	// readAuthFile has checked both already.
	if err := json.Unmarshal(body, &f.members); err != nil {
		return errors.New("it is not a JSON object")
	}
	if raw, ok := f.members["auths"]; ok {
		return json.Unmarshal(raw, &f.entries)
	}
	return nil
}

func (f *loginFile) helperOf(host string) string {
	for _, key := range lookupKeys(host, "")[0] {
		if name, ok := f.known.helpers[key]; ok {
			return name
		}
	}
	return f.known.store
}

// key returns how the file spells the host.
func (f *loginFile) key(host string) string {
	if host == "docker.io" && f.docker {
		return "https://index.docker.io/v1/"
	}
	return host
}

func (f *loginFile) setEntry(host string, entry map[string]string) error {
	f.drop(host)
	raw, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	f.entries[f.key(host)] = raw
	return f.write()
}

func (f *loginFile) removeEntry(host string) (bool, error) {
	if !f.drop(host) {
		return false, nil
	}
	return true, f.write()
}

// drop removes every spelling of the host, and reports whether one held a login.
func (f *loginFile) drop(host string) (dropped bool) {
	for key := range f.entries {
		if slices.Contains(lookupKeys(host, "")[0], normalizeKey(key)) {
			dropped = true
			delete(f.entries, key)
		}
	}
	return dropped
}

// write replaces the file atomically, unreadable for others: it holds passwords.
func (f *loginFile) write() error {
	raw, err := json.Marshal(f.entries)
	if err != nil {
		return err
	}
	f.members["auths"] = raw
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	if err = e.Encode(f.members); err == nil {
		err = replaceFile(f.path, body.Bytes())
	}
	if err != nil {
		return fmt.Errorf("writing logins %q: %w", f.path, err)
	}
	return nil
}

func replaceFile(path string, data []byte) error {
	if err := registry.MakeDirs(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return registry.WriteFile(path, registry.WriteOptions{},
		func(w io.Writer) error { _, err := w.Write(data); return err })
}
