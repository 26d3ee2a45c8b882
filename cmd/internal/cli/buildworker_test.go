package cli

import (
	"errors"
	"strings"
	"testing"

	"mtool/inspect/platform"
	"mtool/registry"
)

func TestParseWorkers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flags []string
		env   map[string]string
		want  string
	}{
		{nil, nil, ""},
		{[]string{"unix:///x=y"}, nil, "unix:///x=y"},
		{
			[]string{"linux/arm64=tcp://a:1", "embedded"},
			map[string]string{"MTOOL_WORKERS": "tcp://no:1"},
			"linux/arm64@tcp://a:1 embedded",
		},
		{
			nil,
			map[string]string{"MTOOL_WORKERS": "tcp://a:1, linux/s390x=tcp://b:1", "BUILDKIT_HOST": "tcp://no:1"},
			"tcp://a:1 linux/s390x@tcp://b:1",
		},
		{nil, map[string]string{"BUILDKIT_HOST": "tcp://a:1"}, "tcp://a:1"},
		{[]string{"docker-engine"}, nil, "docker-engine"},
	} {
		all, err := parseWorkers(c.flags, func(k string) string { return c.env[k] })
		var got []string
		for _, a := range all {
			name := a.Addr
			if a.Platform != nil {
				name = platform.Format(*a.Platform) + "@" + name
			}
			got = append(got, name)
		}
		if s := strings.Join(got, " "); err != nil || s != c.want {
			t.Errorf("%q: got %q, %v, want %q", c.flags, s, err, c.want)
		}
	}
	for _, bad := range []string{"host:1234", "", "nonsense=tcp://a:1", "linux/arm64=", "linux/arm64=host:1"} {
		if _, err := parseWorkers([]string{bad}, func(string) string { return "" }); !errors.Is(err, registry.ErrUsage) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}
