package login

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mtool/registry"
)

func TestParseHost(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "docker.io", "docker.io": "docker.io", "index.docker.io": "docker.io", "https://index.docker.io/v1/": "docker.io",
		"r.example": "r.example", "r.example:5000": "r.example:5000", "https://r.example/": "r.example",
		"http://r.example/v2/": "r.example",
		"localhost":            "localhost", "127.0.0.1:5000": "127.0.0.1:5000",
	} {
		if got, err := ParseHost(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"not a host", "r.example/ns", "word", "https://r.example/ns", "store:x",
		"r.example:port",
	} {
		if got, err := ParseHost(in); !errors.Is(err, registry.ErrName) {
			t.Errorf("%q: %q, %v; want an error", in, got, err)
		}
	}
}

// Saving a login keeps the rest of the file, its permissions and a symbolic link to it.
func TestLoginFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("DOCKER_CONFIG", dir)
	put(t, dir, "real.json",
		`{"x": {"y": [1, "<&>"]}, "auths": {"https://index.docker.io/v1/": {"auth": "old"}, "docker.io": {"auth": "older"}, "r.example": {"auth": "eDp5", "email": "e"}}}`)
	if err := os.Symlink("real.json", filepath.Join(dir, "config.json")); err != nil {
		t.Fatal(err)
	}
	where, err := Save(t.Context(), "docker.io", Auth{Username: "u", Password: "p:q"})
	if err != nil || where != filepath.Join(dir, "real.json") {
		t.Fatalf("saved in %q, %v", where, err)
	}
	body, err := os.ReadFile(where)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(body)), "")
	want := `{"auths":{"https://index.docker.io/v1/":{"auth":"` + encoded("u", "p:q") +
		`"},"r.example":{"auth":"eDp5","email":"e"}},"x":{"y":[1,"<&>"]}}`
	if text != want {
		t.Errorf("got file %s\nwant %s", text, want)
	}
	if info, err := os.Lstat(filepath.Join(dir, "config.json")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if info, err := os.Stat(where); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
	if got, err := Save(t.Context(), "id.example", Auth{IdentityToken: "idt"}); err != nil || got != where {
		t.Errorf("an identity token: %q, %v", got, err)
	}
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.For(t.Context(), "id.example", "x"); err != nil || got.IdentityToken != "idt" {
		t.Errorf("read back: %v, %v", got.Who("id.example"), err)
	}
	if got, err := Remove(t.Context(), "docker.io"); err != nil || got != where {
		t.Errorf("removed from %q, %v", got, err)
	}
	if got, err := Remove(t.Context(), "docker.io"); err != nil || got != "" {
		t.Errorf("removed again from %q, %v", got, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("temporary files: %q, %v", left, err)
	}
}

func TestUnwritableLoginFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(dir, "file/auth.json"))
	put(t, dir, "file", "not a directory")
	if _, err := Save(t.Context(), "r.example", Auth{Username: "u", Password: "secret"}); err == nil ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("saving in a file's subdirectory: %v", err)
	}
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("HOME", "")
	if _, err := Save(t.Context(), "r.example", Auth{Username: "u", Password: "p"}); err == nil ||
		!strings.Contains(err.Error(), "REGISTRY_AUTH_FILE") {
		t.Errorf("saving without a home: %v", err)
	}
}
