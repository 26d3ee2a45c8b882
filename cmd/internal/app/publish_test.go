package app

import (
	"errors"
	"slices"
	"testing"

	"mtool/registry"
)

// When pushing by digest, each repository is a target once; files keep their names.
func TestTargetsWithoutTags(t *testing.T) {
	t.Parallel()
	refs := parsed(t, "r.example/a:1", "r.example/a:2", "r.example/b:1", "oci:dir:v1", "oci:dir:v2")
	if got := (PublishOptions{}).targets(refs); !slices.Equal(got, refs) {
		t.Errorf("got %q, want %q", formatted(got), formatted(refs))
	}
	want := []string{"r.example/a", "r.example/b", "oci:dir:v1", "oci:dir:v2"}
	if got := formatted(PublishOptions{ByDigest: true}.targets(refs)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// push looks for a name in the local store only; files and Docker Engine are read where they are.
func TestOnlyStore(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"demo:v1": "store", "r.example/demo:v1": "store", "oci:dir": "", "oci-archive:file.tar": "",
		"docker-daemon:demo:v1": "",
	} {
		if got := onlyStore(parsed(t, name)[0]); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestImageTarget(t *testing.T) {
	t.Parallel()
	const digest = "sha256:4111df81f2d5e3a4d7c2b1a0998877665544332211ffeeddccbbaa0099887766"
	for name, tt := range map[string]struct {
		found, to string
		published bool
		want      string // "": refused
	}{
		"in place, store":     {"store:demo:v1", "", false, "store:docker.io/library/demo:v1"},
		"in place, registry":  {"r.example/demo:v1", "", true, "r.example/demo:v1"},
		"in place, layout":    {"oci:dir", "", false, "oci:dir"},
		"in place, archive":   {"oci-archive:file.tar", "", false, ""},
		"in place, by digest": {"r.example/demo@" + digest, "", true, ""},
		"to the store":        {"store:demo:v1", "demo:v2", false, "store:docker.io/library/demo:v2"},
		"to a registry":       {"r.example/demo:v1", "r.example/demo:v2", true, "r.example/demo:v2"},
		"to no registry":      {"r.example/demo:v1", "demo:v2", true, ""},
		"to a file":           {"store:demo:v1", "oci:dir", false, "oci:dir"},
	} {
		o := ImageOptions{Name: parsed(t, tt.found)[0], Published: tt.published}
		if tt.to != "" {
			o.To = parsed(t, tt.to)[0]
		}
		got, err := o.target(o.Name)
		if tt.want == "" {
			if !errors.Is(err, registry.ErrUsage) {
				t.Errorf("%s: got %s, %v", name, got, err)
			}
		} else if err != nil || got.String() != tt.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
}
