package app

import (
	"errors"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/registry"
)

func TestLevel(t *testing.T) {
	t.Parallel()
	for want, o := range map[Level]DeepOptions{
		Claims: {EntrypointOnly: true}, Binaries: {Deep: true}, Entrypoints: {Deep: true, EntrypointOnly: true},
	} {
		if got := o.level(); got != want {
			t.Errorf("%+v: got %s, want %s", o, got, want)
		}
	}
}

// All checked layers are counted, even if none had to be read.
func TestCostWords(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]deep.Cost{
		"1 layer, 2.0 kB read": {Layers: 1, Bytes: 2000},
		"6 layers (all read before; --no-facts reads them again)":            {Known: 6},
		"6 layers, 2.0 kB read (4 read before; --no-facts reads them again)": {Layers: 2, Bytes: 2000, Known: 4},
	} {
		if got := CostWords(c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Each verdict is stored at the index of its image, even if only some images were checked.
func TestSpread(t *testing.T) {
	t.Parallel()
	r := deep.Result{Verdicts: []inspect.Finding{{Platform: "b"}, {Platform: "d"}}}
	var got []string
	for _, f := range spread(r, []int{1, 3}, 4).Verdicts {
		got = append(got, f.Platform)
	}
	if want := []string{"", "b", "", "d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A reference that could not be read keeps its error's kind and is unchecked, not ok.
func TestUnread(t *testing.T) {
	t.Parallel()
	cause := registry.WithKind(errors.New("gone"), registry.ErrNotFound)
	one, err := (&Env{}).conclude(t.Context(), found{err: cause}, deep.Result{}, InspectOptions{})
	var unread UnreadError
	if !errors.As(err, &unread) || !errors.Is(err, registry.ErrNotFound) || one.Report.Root.Body != nil {
		t.Errorf("got %+v, %v", one, err)
	}
	if got := one.State(0); got != inspect.Unchecked {
		t.Errorf("got %s, want unchecked", got)
	}
}

// The hint for a misspelled row has only the flags that change.
func TestHintSpelling(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	row := func(p v1.Platform) inspect.Report {
		r := inspect.Report{Ref: parsed(t, "r.example/demo:v1")[0], List: &inspect.ListFacts{}}
		r.Images = []inspect.Image{{Descriptor: v1.Descriptor{Platform: &p}}}
		return r
	}
	for _, tt := range []struct {
		report inspect.Report
		want   string
	}{
		{row(v1.Platform{OS: "linux", Architecture: "amd64"}), ""},
		{row(v1.Platform{OS: "linux", Architecture: "aarch64"}), " --arch arm64"},
	} {
		var hint registry.Hinter
		got := ""
		if errors.As(hintSpelling(failed, tt.report), &hint) {
			got = hint.Hint()
		}
		if tt.want == "" && got != "" || !strings.HasSuffix(got, tt.want) {
			t.Errorf("got hint %q, want %q", got, tt.want)
		}
	}
}
