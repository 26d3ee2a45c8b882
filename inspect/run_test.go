package inspect_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	img := func(config string) inspect.Image {
		return inspect.Image{ConfigBody: []byte(`{"config":` + config + `}`)}
	}
	full := `{"Entrypoint":["/e","1"],"Cmd":["c"],"Env":["A=b"],"WorkingDir":"/w","User":"u"}`
	for name, c := range map[string]struct {
		inspect.Command
		config string
		want   []string
	}{
		"the image's":                {inspect.Command{}, full, []string{"/e", "1", "c"}},
		"the image's, no entrypoint": {inspect.Command{}, `{"Cmd":["c"]}`, []string{"c"}},
		"command":                    {inspect.Command{Words: []string{"w"}}, full, []string{"w"}},
		"arguments":                  {inspect.Command{Args: []string{"a"}}, full, []string{"/e", "1", "a"}},
		"arguments, no entrypoint":   {inspect.Command{Args: []string{"a"}}, `{"Cmd":["c"]}`, []string{"a"}},
		"command, empty config":      {inspect.Command{Words: []string{"w"}}, `null`, []string{"w"}},
		"command and arguments":      {inspect.Command{Words: []string{"w"}, Args: []string{"a"}}, full, []string{"w"}},
	} {
		got, err := c.Trial(img(c.config), registry.Ref{})
		if err != nil || !slices.Equal(got.Command, c.want) {
			t.Errorf("%s: %q, %v, want %q", name, got.Command, err, c.want)
		}
		if c.config == full && (got.Dir != "/w" || got.User != "u" || !slices.Equal(got.Env, []string{"A=b"})) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := (inspect.Command{}).Trial(img(`{}`), registry.Ref{}); !errors.Is(err, inspect.ErrMismatch) {
		t.Errorf("an image without a command: %v", err)
	}
	if _, err := (inspect.Command{}).Trial(img(`[]`), registry.Ref{}); !errors.Is(err, registry.ErrContent) {
		t.Errorf("an invalid config: %v", err)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	trial := inspect.Trial{
		Command: []string{"app", "a b"},
		Image:   inspect.Image{Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
	}
	if _, failed := (inspect.Outcome{Stderr: []byte("noise")}).Finding(trial); failed {
		t.Error("a command that succeeded has a finding")
	}
	noWorker := errors.New("no emulator")
	for name, c := range map[string]struct {
		inspect.Outcome
		state inspect.State
		words string
	}{
		"code": {
			inspect.Outcome{
				Exit: 7, Emulator: "aarch64", Stdout: []byte("out\n"),
				Stderr: []byte("1\n2\n3\x1b[31m\n4\n"),
			},
			inspect.Mismatch,
			"linux/arm64: running app 'a b': exit code 7 (emulated by qemu-aarch64), after printing: 2 / 3?[31m / 4",
		},
		"silent": {inspect.Outcome{Exit: 1}, inspect.Mismatch, "exit code 1"},
		"the image's fault": {
			inspect.Outcome{Exit: -1, Err: errors.Join(inspect.ErrMismatch, errors.New("two\nlines"))},
			inspect.Mismatch, "mismatch; two; lines",
		},
		"no worker": {inspect.Outcome{Exit: -1, Err: noWorker}, inspect.Unchecked, "no emulator"},
	} {
		f, failed := c.Finding(trial)
		if !failed || f.State != c.state || !strings.Contains(f.Message, c.words) || strings.Contains(f.Message, "\n") {
			t.Errorf("%s: %v, %+v", name, failed, f)
		}
		if c.state == inspect.Unchecked && !errors.Is(inspect.Failed([]inspect.Finding{f}), noWorker) {
			t.Errorf("%s: the error's kind is lost", name)
		}
	}
}
