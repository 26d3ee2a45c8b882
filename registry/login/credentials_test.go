package login

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// encoded returns a user and a password as in the member auth of a file.
func encoded(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func testFile(path, body string) authFile {
	dir, err := os.MkdirTemp("", "mtool-auth")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name := filepath.Join(dir, "f")
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		panic(err)
	}
	f, err := readAuthFile(name)
	if err != nil {
		panic(err)
	}
	f.path = path
	return f
}

func TestCredentialsMostSpecificFirst(t *testing.T) {
	t.Parallel()
	entry := func(key, user string) string {
		return fmt.Sprintf(`%q:{"auth":%q}`, key, encoded(user, "pw"))
	}
	auths := func(list ...string) string { return `{"auths":{` + strings.Join(list, ",") + `}}` }
	c := newCredentials()
	c.files = []authFile{
		testFile("one", auths(entry("r.example", "host"), entry("https://index.docker.io/v1/", "hub"), `"empty.example":{}`)),
		testFile("two",
			auths(entry("r.example/ns", "ns"), entry("r.example/ns/repo", "repo"), entry("https://url.example/v2/", "url"),
				entry("empty.example", "second"), entry("r.example", "shadowed"), entry("docker.io/me", "me"))),
	}
	tests := []struct{ host, repo, user, from string }{
		{"r.example", "x", "host", "one"},
		{"r.example", "ns/x", "ns", "two"},
		{"r.example", "ns/repo", "repo", "two"},
		{"r.example", "ns/repo/deep", "repo", "two"},
		{"r.example", "nsx/repo", "host", "one"},
		{"docker.io", "library/demo", "hub", "one"},
		{"docker.io", "me/demo", "me", "two"},
		{"registry-1.docker.io", "library/demo", "hub", "one"},
		{"url.example", "x", "url", "two"},
		{"empty.example", "x", "second", "two"},
		{"other.example", "x", "", "one, two"},
	}
	for _, tt := range tests {
		got, err := c.For(t.Context(), tt.host, tt.repo)
		if err != nil || got.Username != tt.user || got.From != tt.from {
			t.Errorf("%s/%s: got user %q from %q, %v; want %q from %q", tt.host, tt.repo, got.Username, got.From, err,
				tt.user, tt.from)
		}
	}
}

func TestCredentialKinds(t *testing.T) {
	t.Parallel()
	c := newCredentials()
	c.files = []authFile{testFile("f", `{"auths":{
		"id.example":{"auth":"`+encoded("u", "")+`","identitytoken":"idt"},
		"reg.example":{"registrytoken":"regt"},
		"plain.example":{"username":"u","password":"p"},
		"nul.example":{"auth":"`+base64.StdEncoding.EncodeToString([]byte("u:p\x00\x00"))+`"},
		"bad.example":{"auth":"%%%secret"}}}`)}
	tests := map[string]Auth{
		"id.example":    {Username: "u", IdentityToken: "idt", From: "f"},
		"reg.example":   {RegistryToken: "regt", From: "f"},
		"plain.example": {Username: "u", Password: "p", From: "f"},
		"nul.example":   {Username: "u", Password: "p", From: "f"},
	}
	for host, want := range tests {
		if got, err := c.For(t.Context(), host, "x"); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", host, got, err, want)
		}
	}
	_, err := c.For(t.Context(), "bad.example", "x")
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "bad.example") {
		t.Errorf("bad entry: got error %v, want one with the host and without the entry", err)
	}
	var none *Credentials
	if got, err := none.For(t.Context(), "r", "x"); err != nil || got != (Auth{}) {
		t.Errorf("no credentials: got %+v, %v", got, err)
	}
}

// The tests below change the environment, so they are not parallel.

func TestHelpers(t *testing.T) {
	dir := t.TempDir()
	script := `#!/bin/sh
read server
echo "$server" >>` + dir + `/asked
case $server in
https://index.docker.io/v1/) echo '{"ServerURL":"x","Username":"hub","Secret":"s"}' ;;
token.example) echo '{"ServerURL":"x","Username":"<token>","Secret":"idt"}' ;;
locked.example) echo "the keyring is locked" >&2; exit 1 ;;
*) echo "credentials not found in native keychain"; exit 1 ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-try"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	c := newCredentials()
	c.files = []authFile{
		testFile("one",
			`{"credHelpers":{"only.example":"missing","token.example":"try","docker.io":"try"},"credsStore":"absent"}`),
		testFile("two", `{"credsStore":"try","auths":{"filed.example":{"auth":"`+encoded("filed", "p")+`"}}}`),
	}
	absent := func(host string) MissingHelper { return MissingHelper{"docker-credential-absent", "one", host} }
	tests := []struct {
		host string
		want Auth
		fail string
	}{
		{"docker.io", Auth{Username: "hub", Password: "s", From: "docker-credential-try (named in one)"}, ""},
		{"token.example", Auth{IdentityToken: "idt", From: "docker-credential-try (named in one)"}, ""},
		{"filed.example", Auth{Username: "filed", Password: "p", From: "two", Missing: absent("filed.example")}, ""},
		{"other.example", Auth{From: "one, two and docker-credential-try", Missing: absent("other.example")}, ""},
		{"locked.example", Auth{}, "the keyring is locked"},
		{
			"only.example",
			Auth{},
			"credential helper docker-credential-missing is not in PATH (named in one for only.example)",
		},
	}
	for range 2 {
		for _, tt := range tests {
			got, err := c.For(t.Context(), tt.host, "x")
			if got != tt.want || (err == nil) != (tt.fail == "") || err != nil && !strings.Contains(err.Error(), tt.fail) {
				t.Errorf("%s: got %+v, %v; want %+v, %q", tt.host, got, err, tt.want, tt.fail)
			}
		}
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || strings.Count(string(asked), "token.example") != 1 {
		t.Errorf("asked %q, %v; want each host once", asked, err)
	}
}

func TestDefault(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{
		"DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR",
		"XDG_CONFIG_HOME",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	write := func(body string, parts ...string) string {
		path := filepath.Join(append([]string{home}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	user := func(want string) {
		t.Helper()
		c, err := Default()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.For(t.Context(), "r.example", "x"); err != nil || got.Username != want {
			t.Errorf("got %q, %v; want %q", got.Username, err, want)
		}
	}
	auth := func(user string) string { return `{"auths":{"r.example":{"auth":"` + encoded(user, "p") + `"}}}` }

	user("")
	write(auth("podman"), ".config", "containers", "auth.json")
	user("podman")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(home, "run"))
	write(auth("run"), "run", "containers", "auth.json")
	user("run")
	write(auth("docker"), ".docker", "config.json")
	user("docker")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	user("run")
	t.Setenv("REGISTRY_AUTH_FILE", write(auth("named"), "named.json"))
	user("named")
	t.Setenv("DOCKER_AUTH_CONFIG", auth("variable"))
	user("variable")
	t.Setenv("DOCKER_AUTH_CONFIG", `{"auths":{"other.example":{}}}`)
	user("named")
	t.Setenv("DOCKER_AUTH_CONFIG", `{"auths": secret`)
	if _, err := Default(); err == nil || !strings.Contains(err.Error(), "DOCKER_AUTH_CONFIG") ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v, want one with the variable's name and without its value", err)
	}
	t.Setenv("DOCKER_AUTH_CONFIG", "")

	bad := write(`{"auths": secret`, "named.json")
	if _, err := Default(); err == nil || !strings.Contains(err.Error(), bad) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v, want one with %s and without its content", err, bad)
	}
}
