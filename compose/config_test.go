package compose

import (
	"errors"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

func TestConfigEdit(t *testing.T) {
	t.Parallel()
	one := func(s string) *string { return &s }
	several := func(s ...string) *[]string { return &s }
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	const config = `{"architecture":"arm64","os":"linux","odd":{"b":1,"a":2},"config":{"Env":["A=1","B=2"],"Cmd":["sh"],"User":"root",` +
		`"ExposedPorts":{"80/tcp":{}},"Labels":{"x":"1"},"Unknown":true}}`
	for _, c := range []struct {
		name string
		edit ConfigEdit
		want string // "" is the config as it was
	}{
		{"variables keep their order", ConfigEdit{Env: []string{"C=3", "A=9"}, UnsetEnv: []string{"B"}}, `{"architecture":"arm64","os":"linux","odd":{"b":1,"a":2},` +
			`"config":{"Env":["A=9","C=3"],"Cmd":["sh"],"User":"root","ExposedPorts":{"80/tcp":{}},"Labels":{"x":"1"},"Unknown":true}}`},
		{"the last label", ConfigEdit{UnsetLabels: []string{"x"}, Cmd: several(), User: one("")}, `{"architecture":"arm64","os":"linux","odd":{"b":1,"a":2},` +
			`"config":{"Env":["A=1","B=2"],"ExposedPorts":{"80/tcp":{}},"Unknown":true}}`},
		{"ports", ConfigEdit{Ports: []string{"53/udp"}, UnsetPorts: []string{"80"}}, `{"architecture":"arm64","os":"linux","odd":{"b":1,"a":2},` +
			`"config":{"Env":["A=1","B=2"],"Cmd":["sh"],"User":"root","ExposedPorts":{"53/udp":{}},"Labels":{"x":"1"},"Unknown":true}}`},
		{
			"members outside of config",
			ConfigEdit{Created: &noon, Platform: &v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}},
			`{"architecture":"arm","os":"linux","odd":{"b":1,"a":2},"config":{"Env":["A=1","B=2"],"Cmd":["sh"],"User":"root",` +
				`"ExposedPorts":{"80/tcp":{}},"Labels":{"x":"1"},"Unknown":true},"created":"2026-01-31T12:00:00Z","variant":"v7"}`,
		},
		{"nothing new", ConfigEdit{Labels: map[string]string{"x": "1"}, Env: []string{"A=1"}, Cmd: several("sh"), Ports: []string{"80"}}, ""},
	} {
		got, err := c.edit.apply([]byte(config))
		if want := c.want; err != nil || string(got) != want && (want != "" || string(got) != config) {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, got, err, want)
		}
	}
	if got, err := (ConfigEdit{User: one("1000")}).apply([]byte(`{"os":"linux"}`)); err != nil || string(got) != `{"os":"linux","config":{"User":"1000"}}` {
		t.Errorf("a config without a member config: %s, %v", got, err)
	}
	for _, bad := range []string{`[]`, `{"config":[]}`, `{"config":{"Env":{}}}`, `{"config":{"Labels":[]}}`, `{"config":{"ExposedPorts":[]}}`} {
		edit := ConfigEdit{Labels: map[string]string{"a": "b"}, Env: []string{"A=1"}, Ports: []string{"1"}}
		if _, err := edit.apply([]byte(bad)); !errors.Is(err, registry.ErrContent) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestConfigEditRefused(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]ConfigEdit{
		"nothing":        {},
		"no value":       {Env: []string{"A"}},
		"no name":        {Env: []string{"=1"}},
		"twice":          {Env: []string{"A=1", "A=2"}},
		"set and unset":  {Labels: map[string]string{"a": "1"}, UnsetLabels: []string{"a"}},
		"empty label":    {Labels: map[string]string{"": "1"}},
		"one port twice": {Ports: []string{"80"}, UnsetPorts: []string{"80"}},
	} {
		if err := d.Check(); !errors.Is(err, registry.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (ConfigEdit{Env: []string{"A=", "B=a=b"}}).Check(); err != nil {
		t.Errorf("the twin: %v", err)
	}
}
