package settings_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mtool/registry/remote"
	"mtool/registry/settings"
)

// write puts text into a registries.yaml, and a certificate into the same directory.
func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "registries.yaml")
	for name, body := range map[string]string{path: text, filepath.Join(filepath.Dir(path), "ca.pem"): "x"} {
		if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestRead(t *testing.T) {
	t.Parallel()
	path := write(t, `
concurrency: 8
retry: 0
ca-file: ca.pem
registries:
  r.example:5000: {plain-http: true, mirrors: [m.example], rate: 2, headers: {X-A: b}}
  s.example: {tls-skip-verify: true, ca-file: ca.pem, mirrors: [n.example]}
`)
	o := remote.Options{Concurrency: 3}
	o.Hosts = map[string]remote.HostSettings{"s.example": {Mirrors: []string{"typed.example"}, Resolve: "10.0.0.1"}}
	got, err := settings.Read(path, o)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(filepath.Dir(path), "ca.pem")
	if got.Concurrency != 3 || got.Attempts != 1 || !reflect.DeepEqual(got.CAFiles, []string{ca}) ||
		!reflect.DeepEqual(got.PlainHTTP, []string{"r.example:5000"}) ||
		!reflect.DeepEqual(got.SkipVerify, []string{"s.example"}) {
		t.Errorf("got %+v", got)
	}
	want := map[string]remote.HostSettings{
		"r.example:5000": {Mirrors: []string{"m.example"}, Rate: 2, Headers: map[string]string{"X-A": "b"}},
		"s.example":      {CAFiles: []string{ca}, Mirrors: []string{"typed.example"}, Resolve: "10.0.0.1"},
	}
	delete(got.Hosts, "docker.io") // from this machine's Docker Engine
	if !reflect.DeepEqual(got.Hosts, want) {
		t.Errorf("got %+v, want %+v", got.Hosts, want)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for text, words := range map[string]string{
		"retry: -1":                             "can't be negative",
		"concurency: 1":                         `:1: unknown field "concurency"`,
		"ca-file: none.pem":                     "reading certificates",
		"registries: {a/b: {plain-http: true}}": `"a/b" is not HOST[:PORT]`,
		"registries: {a.example: {client-cert: ca.pem}}":          "go together",
		"registries: {a.example: {headers: {Host: b}}}":           `"Host" can't be set`,
		"registries: {a: {resolve: ''}}":                          "resolve is empty",
		"registries: {a.example: {mirrors: ['b:c@m.example/d']}}": "mirror of a.example: its address takes no user and password",
		"registries: {a: {rate: 1}, a: {rate: 2}":                 ":1: ",
	} {
		if _, err := settings.Read(write(t, text), remote.Options{}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v, want %q", text, err, words)
		}
	}
	if _, err := settings.Read(filepath.Join(t.TempDir(), "none.yaml"), remote.Options{}); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func TestParseMirror(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"m.example":               {"m.example", ""},
		"m.example/hub/":          {"m.example/hub", ""},
		"https://m.example/hub":   {"m.example/hub", ""},
		"http://m.example:80/hub": {"m.example:80/hub", "m.example:80"},
	} {
		if mirror, plain := settings.ParseMirror(address); mirror != want[0] || plain != want[1] {
			t.Errorf("%s: got %q, %q, want %q", address, mirror, plain, want)
		}
	}
}
