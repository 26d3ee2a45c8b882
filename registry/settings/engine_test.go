package settings

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mtool/registry/remote"
)

func TestEngineMirrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text           string
		mirrors, plain []string
		bad            bool
	}{
		"none": {text: `{}`},
		"both schemes": {
			`{"registry-mirrors":["https://a.example/","http://b.example:5000/hub"]}`,
			[]string{"a.example", "b.example:5000/hub"},
			[]string{"b.example:5000"},
			false,
		},
		"no address":     {text: `{"registry-mirrors":["a.example"]}`, bad: true},
		"not JSON":       {text: `registry-mirrors`, bad: true},
		"other settings": {text: `{"debug":true}`},
	} {
		path := filepath.Join(t.TempDir(), "daemon.json")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		mirrors, plain, err := engineMirrors(path)
		if !slices.Equal(mirrors, c.mirrors) || !slices.Equal(plain, c.plain) || (err != nil) != c.bad {
			t.Errorf("%s: %q, %q, %v", name, mirrors, plain, err)
		}
	}
	if mirrors, _, err := engineMirrors(filepath.Join(t.TempDir(), "nothing")); len(mirrors) > 0 || err != nil {
		t.Errorf("no file: %q, %v", mirrors, err)
	}
}

// Docker Engine's mirrors are used only if no others are set, and do not change other settings of docker.io.
func TestWithEngine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "daemon.json")
	if err := os.WriteFile(path, []byte(`{"registry-mirrors":["http://m.example"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := withEngine(remote.Options{}, []string{path})
	if !slices.Equal(got.Hosts["docker.io"].Mirrors, []string{"m.example"}) ||
		!slices.Equal(got.PlainHTTP, []string{"m.example"}) {
		t.Errorf("got %+v", got.Settings)
	}
	for _, hub := range []remote.HostSettings{{Mirrors: []string{"typed.example"}}, {Resolve: "10.0.0.1"}} {
		var o remote.Options
		o.Hosts = map[string]remote.HostSettings{"docker.io": hub}
		after := withEngine(o, []string{path}).Hosts["docker.io"]
		if len(hub.Mirrors) > 0 && !slices.Equal(after.Mirrors, hub.Mirrors) || after.Resolve != hub.Resolve {
			t.Errorf("%+v became %+v", hub, after)
		}
	}
}
