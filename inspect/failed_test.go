package inspect_test

import (
	"errors"
	"fmt"
	"testing"

	"mtool/inspect"
	"mtool/registry"
)

func TestFailed(t *testing.T) {
	t.Parallel()
	ok := inspect.Finding{State: inspect.ClaimsOK, Message: "fine"}
	note := inspect.Finding{State: inspect.Note, Message: "a note", Err: registry.ErrContent}
	wrong := inspect.Finding{State: inspect.Mismatch, Message: "wrong"}
	gone := inspect.Finding{State: inspect.Mismatch, Message: "gone", Err: registry.ErrNotFound}
	away := inspect.Finding{State: inspect.Unchecked, Message: "away", Err: fmt.Errorf("503: %w", registry.ErrUnavailable)}
	closed := inspect.Finding{State: inspect.Unchecked, Message: "closed", Err: registry.ErrDenied}
	big := inspect.Finding{State: inspect.Unchecked, Message: "big", Err: inspect.ErrLimit}
	for _, c := range []struct {
		name     string
		findings []inspect.Finding
		is, not  []error
		text     string
	}{
		{"one", []inspect.Finding{ok, wrong}, []error{inspect.ErrMismatch}, nil, "wrong"},
		{
			"a missing child is wrong content",
			[]inspect.Finding{gone},
			[]error{inspect.ErrMismatch},
			[]error{registry.ErrNotFound},
			"gone",
		},
		{"network", []inspect.Finding{away, ok}, []error{registry.ErrUnavailable}, []error{inspect.ErrMismatch}, "away"},
		{
			"both",
			[]inspect.Finding{away, note, gone, closed},
			[]error{inspect.ErrMismatch, registry.ErrUnavailable, registry.ErrDenied},
			[]error{registry.ErrContent},
			"away\ngone\nclosed",
		},
		{"limit", []inspect.Finding{big}, []error{inspect.ErrMismatch}, nil, "big"},
	} {
		err := inspect.Failed(c.findings)
		var check *inspect.CheckError
		if !errors.As(err, &check) || err.Error() != c.text {
			t.Errorf("%s: got %q, want %q", c.name, err, c.text)
		}
		for _, kind := range c.is {
			wantIs(t, err, kind)
		}
		for _, kind := range c.not {
			if errors.Is(err, kind) {
				t.Errorf("%s: %v wraps %q", c.name, err, kind)
			}
		}
	}
	if err := inspect.Failed([]inspect.Finding{ok, note}); err != nil {
		t.Errorf("notes fail: %v", err)
	}
}
