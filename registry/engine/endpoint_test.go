package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mtool/registry"
)

// contextID is docker's directory name for the context "there": the SHA-256 of its name.
const contextID = "e244f187f696561d5fd7e00f618e7ba641dc52e3c137380f6fa23a854b773aac"

func TestFindLikeDocker(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		files  map[string]string
		env    map[string]string
		host   string
		from   string
		tls    string // relative to DOCKER_CONFIG
		unsafe bool
	}{
		{name: "no setting", host: defaultHost, from: "default"},
		{
			name: "host", env: map[string]string{"DOCKER_HOST": "tcp://a:1", "DOCKER_CONTEXT": "there"}, host: "tcp://a:1",
			from: "DOCKER_HOST", unsafe: true,
		},
		{
			name: "host with TLS", env: map[string]string{"DOCKER_HOST": "tcp://a:1", "DOCKER_TLS_VERIFY": "1"},
			host: "tcp://a:1", from: "DOCKER_HOST", tls: ".",
		},
		{name: "context", env: map[string]string{"DOCKER_CONTEXT": "there"}, host: "ssh://b", from: `"there"`},
		{
			name: "current context", files: map[string]string{"config.json": `{"currentContext": "there"}`}, host: "ssh://b",
			from: `"there"`,
		},
		{
			name:  "the context of the environment wins",
			files: map[string]string{"config.json": `{"currentContext": "missing"}`},
			env:   map[string]string{"DOCKER_CONTEXT": "there"}, host: "ssh://b", from: `"there"`,
		},
		{
			name: "the context default", files: map[string]string{"config.json": `{"currentContext": "there"}`},
			env: map[string]string{"DOCKER_CONTEXT": "default"}, host: defaultHost, from: "default",
		},
		{
			name: "context with TLS", files: map[string]string{"contexts/tls/THERE/docker/ca.pem": "x"},
			env: map[string]string{"DOCKER_CONTEXT": "there"}, host: "ssh://b", from: `"there"`,
			tls: "contexts/tls/THERE/docker",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "contexts/meta/THERE/meta.json", `{"Name": "there", "Endpoints": {"docker": {"Host": "ssh://b"}}}`)
			for name, content := range tt.files {
				write(t, dir, name, content)
			}
			at, err := find(environment(dir, tt.env))
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if tt.tls != "" {
				want = filepath.Join(dir, strings.ReplaceAll(tt.tls, "THERE", contextID))
			}
			if at.host != tt.host || !strings.Contains(at.from, tt.from) || at.tlsDir != want || at.skipVerify != tt.unsafe {
				t.Errorf("got %+v, want %q from %q with TLS in %q", at, tt.host, tt.from, want)
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, content, context string
		kind                   error
		words                  string
	}{
		{"config.json", `{"auths": {"x": {"auth": "c2VjcmV0"}}`, "", registry.ErrContent, "config.json"},
		{"config.json", `{"currentContext": "gone"}`, "", registry.ErrNotFound, `"gone"`},
		{"config.json", `{}`, "gone", registry.ErrNotFound, "DOCKER_CONTEXT"},
		{
			"contexts/meta/THERE/meta.json", `{"Endpoints": {"kubernetes": {"Host": "x"}}}`, "there", registry.ErrContent,
			"no docker endpoint",
		},
		{"contexts/meta/THERE/meta.json", `garbage`, "there", registry.ErrContent, "meta.json"},
	} {
		dir := t.TempDir()
		write(t, dir, tt.file, tt.content)
		_, err := find(environment(dir, map[string]string{"DOCKER_CONTEXT": tt.context}))
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s %s: %v, want %v with %q", tt.file, tt.content, err, tt.kind, tt.words)
		}
	}
}

func environment(dir string, env map[string]string) func(string) string {
	return func(key string) string {
		if key == "DOCKER_CONFIG" {
			return dir
		}
		return env[key]
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, strings.ReplaceAll(name, "THERE", contextID))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
