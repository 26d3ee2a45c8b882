package app

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDaemonMirrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text           string
		mirrors, plain []string
		bad            bool
	}{
		"none":           {text: `{}`},
		"both schemes":   {`{"registry-mirrors":["https://a.example/","http://b.example:5000/hub"]}`, []string{"a.example", "b.example:5000/hub"}, []string{"b.example:5000"}, false},
		"no address":     {text: `{"registry-mirrors":["a.example"]}`, bad: true},
		"not JSON":       {text: `registry-mirrors`, bad: true},
		"something else": {text: `{"debug":true}`},
	} {
		path := filepath.Join(t.TempDir(), "daemon.json")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		mirrors, plain, err := daemonMirrors(path)
		if !slices.Equal(mirrors, c.mirrors) || !slices.Equal(plain, c.plain) || (err != nil) != c.bad {
			t.Errorf("%s: %q, %q, %v", name, mirrors, plain, err)
		}
	}
	if mirrors, _, err := daemonMirrors(filepath.Join(t.TempDir(), "nothing")); len(mirrors) > 0 || err != nil {
		t.Errorf("no file: %q, %v", mirrors, err)
	}
}
