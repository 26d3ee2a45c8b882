package login

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLookupOrder looks up a repository with different files, helpers and variables. Paths of files and values that
// begin with "~" are relative to HOME. Each password is the user name.
func TestLookupOrder(t *testing.T) {
	const (
		docker = ".docker/config.json"
		podman = "run/containers/auth.json"
		config = ".config/containers/auth.json"
	)
	auths := func(pairs ...string) string {
		var rows []string
		for i := 0; i < len(pairs); i += 2 {
			rows = append(rows, `"`+pairs[i]+`":{"auth":"`+encoded(pairs[i+1], pairs[i+1])+`"}`)
		}
		return `"auths":{` + strings.Join(rows, ",") + `}`
	}
	type files map[string]string
	type env map[string]string
	runtime := env{"XDG_RUNTIME_DIR": "~run"}
	for _, tt := range []struct {
		name  string
		files files
		env   env
		repo  string // with its host
		want  string // user name; "!" for an error
	}{
		{"no file at all", nil, nil, "r.example/a", ""},
		{"docker's file", files{docker: auths("r.example", "d")}, nil, "r.example/a", "d"},
		{"podman's file in the runtime directory", files{podman: auths("r.example", "p")}, runtime, "r.example/a", "p"},
		{"podman's file without a runtime directory", files{podman: auths("r.example", "p")}, nil, "r.example/a", ""},
		{"podman's file in the configuration", files{config: auths("r.example", "c")}, nil, "r.example/a", "c"},
		{
			"podman's file in XDG_CONFIG_HOME",
			files{"x/containers/auth.json": auths("r.example", "x")},
			env{"XDG_CONFIG_HOME": "~x"},
			"r.example/a", "x",
		},
		{
			"docker before podman",
			files{docker: auths("r.example", "d"), podman: auths("r.example", "p")},
			runtime,
			"r.example/a", "d",
		},
		{
			"the first entry, not the first file",
			files{docker: auths("other.example", "d"), podman: auths("r.example", "p")},
			runtime, "r.example/a", "p",
		},
		{
			"podman's repository before docker's host",
			files{docker: auths("r.example", "d"), podman: auths("r.example/a", "p")},
			runtime, "r.example/a", "p",
		},
		{"a namespace", files{config: auths("r.example/ns", "ns", "r.example", "r")}, nil, "r.example/ns/a/b", "ns"},
		{
			"a namespace with a similar name",
			files{config: auths("r.example/ns", "ns", "r.example", "r")},
			nil,
			"r.example/nsx/a", "r",
		},
		{"only another namespace", files{config: auths("r.example/ns", "ns")}, nil, "r.example/a", ""},
		{
			"REGISTRY_AUTH_FILE before all",
			files{"my.json": auths("r.example", "m"), docker: auths("r.example", "d")},
			env{"REGISTRY_AUTH_FILE": "~my.json"},
			"r.example/a", "m",
		},
		{
			"REGISTRY_AUTH_FILE without the host",
			files{"my.json": auths("x.example", "m"), docker: auths("r.example", "d")},
			env{"REGISTRY_AUTH_FILE": "~my.json"},
			"r.example/a", "d",
		},
		{
			"REGISTRY_AUTH_FILE of a missing file",
			files{docker: auths("r.example", "d")},
			env{"REGISTRY_AUTH_FILE": "~none.json"},
			"r.example/a", "d",
		},
		{
			"DOCKER_CONFIG instead of HOME",
			files{"dc/config.json": auths("r.example", "dc"), docker: auths("r.example", "d")},
			env{"DOCKER_CONFIG": "~dc"},
			"r.example/a", "dc",
		},
		{
			"DOCKER_CONFIG without the host",
			files{"dc/config.json": "", docker: auths("r.example", "d")},
			env{"DOCKER_CONFIG": "~dc"},
			"r.example/a", "",
		},
		{
			"Docker Hub as docker writes it",
			files{docker: auths("https://index.docker.io/v1/", "h")},
			nil,
			"docker.io/library/a", "h",
		},
		{"Docker Hub as podman writes it", files{config: auths("docker.io", "h")}, nil, "docker.io/library/a", "h"},
		{"Docker Hub by its address", files{docker: auths("registry-1.docker.io", "h")}, nil, "docker.io/library/a", "h"},
		{
			"a namespace of Docker Hub",
			files{docker: auths("https://index.docker.io/v1/", "h", "docker.io/me", "me")},
			nil,
			"docker.io/me/a", "me",
		},
		{
			"another port is another host",
			files{docker: auths("r.example", "r", "r.example:5000", "p")},
			nil,
			"r.example:5000/a", "p",
		},
		{"the host without its port", files{docker: auths("r.example", "r")}, nil, "r.example:5000/a", ""},
		{"a URL as a key", files{docker: auths("https://r.example", "u")}, nil, "r.example/a", "u"},
		{"a URL with a version", files{docker: auths("http://r.example/v2/", "u")}, nil, "r.example/a", "u"},
		{
			"the plain key before the URL",
			files{docker: auths("https://r.example", "u", "r.example", "r")},
			nil,
			"r.example/a", "r",
		},
		{
			"the store before an entry of the same file",
			files{docker: `"credsStore":"good",` + auths("r.example", "d")},
			nil,
			"r.example/a", "store",
		},
		{
			"the helper of a host before the store",
			files{docker: `"credsStore":"none","credHelpers":{"r.example":"good"}`},
			nil, "r.example/a", "store",
		},
		{
			"a store without the host",
			files{docker: `"credsStore":"none",` + auths("r.example", "d")},
			nil,
			"r.example/a", "d",
		},
		{
			"a store that is not installed",
			files{docker: `"credsStore":"missing",` + auths("r.example", "d")},
			nil,
			"r.example/a", "d",
		},
		{
			"a helper that is not installed",
			files{docker: `"credHelpers":{"r.example":"missing"},` + auths("r.example", "d")},
			nil, "r.example/a", "!",
		},
		{"a store that fails", files{docker: `"credsStore":"bad"`}, nil, "r.example/a", "!"},
		{
			"a helper of another host",
			files{docker: `"credHelpers":{"x.example":"bad"},` + auths("r.example", "d")},
			nil,
			"r.example/a", "d",
		},
		{
			"an empty entry before podman's",
			files{docker: `"auths":{"r.example":{}}`, config: auths("r.example", "c")},
			nil,
			"r.example/a", "c",
		},
		{
			"a broken entry of another host",
			files{docker: `"auths":{"x.example":{"auth":"%%"},"r.example":{"username":"d","password":"d"}}`},
			nil,
			"r.example/a", "d",
		},
		{"a broken entry", files{docker: `"auths":{"r.example":{"auth":"%%"}}`}, nil, "r.example/a", "!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			for _, key := range []string{"REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"} {
				value := tt.env[key]
				if rest, ok := strings.CutPrefix(value, "~"); ok {
					value = filepath.Join(home, rest)
				}
				t.Setenv(key, value)
			}
			t.Setenv("HOME", home)
			t.Setenv("PATH", home+":"+os.Getenv("PATH"))
			put(t, home, "docker-credential-good", "#!/bin/sh\necho '{\"Username\":\"store\",\"Secret\":\"store\"}'\n")
			put(t, home, "docker-credential-none", "#!/bin/sh\necho credentials not found in native keychain\nexit 1\n")
			put(t, home, "docker-credential-bad", "#!/bin/sh\necho locked\nexit 1\n")
			for name, body := range tt.files {
				put(t, home, name, "{"+body+"}")
			}
			c, err := Default()
			if err != nil {
				t.Fatal(err)
			}
			host, repo, _ := strings.Cut(tt.repo, "/")
			got, err := c.For(t.Context(), host, repo)
			if failed := tt.want == "!"; failed != (err != nil) ||
				!failed && (got.Username != tt.want || got.Password != tt.want) {
				t.Errorf("got %q from %q, %v; want %q", got.Username, got.From, err, tt.want)
			}
		})
	}
}

func put(t *testing.T, dir, name, body string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o700); err != nil {
		t.Fatal(err)
	}
}
