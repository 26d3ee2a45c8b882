package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mtool/build"
	"mtool/compose"
	"mtool/compose/draft"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	mismatch := inspect.Failed([]inspect.Finding{{State: inspect.Mismatch, Message: "a", Err: registry.ErrNotFound}})
	unread := inspect.Failed([]inspect.Finding{{State: inspect.Unchecked, Message: "b", Err: registry.ErrUnavailable}})
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"no error", nil, 0},
		{"any error", errors.New("x"), 1},
		{"a flag", usagef("", "x"), 2},
		{"a name", badInput(fmt.Errorf("x: %w", registry.ErrName)), 2},
		{"a missing file", badInput(fmt.Errorf("%w: %w", registry.ErrName, registry.ErrNotFound)), 4},
		{"an empty list", fmt.Errorf("x: %w", compose.ErrEmpty), 2},
		{"its own source", compose.ErrSelf, 2},
		{"bad usage", registry.ErrUsage, 2},
		{"a mismatch", mismatch, 3},
		{"bytes of another digest", fmt.Errorf("x: %w", registry.ErrContent), 3},
		{"a duplicate", compose.ErrDuplicate, 3},
		{"a platform that contradicts the config", compose.ErrPlatform, 3},
		{"a corrupt draft", draft.ErrCorrupt, 3},
		{"not found", registry.ErrNotFound, 4},
		{"no such platform", compose.ErrNoMatch, 4},
		{"denied", registry.ErrDenied, 5},
		{"unavailable", registry.ErrUnavailable, 6},
		{"an entry that could not be read", unread, 6},
		{"moved", compose.ErrMoved, 7},
		{"an overwritten list", publish.ErrOverwrite, 7},
		{"refused", registry.ErrRefused, 8},
		{"no worker", &build.WorkerError{Doing: "x", Err: errors.New("y")}, 9},
		{"some targets", errors.Join(registry.ErrDenied, publish.ErrPartial), 10},
		{"interrupted", fmt.Errorf("x: %w", context.Canceled), 130},
		// Several failures: the first of 130, 5, 6, 4, 3, 9, 8, 7, 1.
		{"interrupted first", errors.Join(registry.ErrDenied, context.Canceled), 130},
		{"denied before unavailable", errors.Join(registry.ErrUnavailable, registry.ErrDenied), 5},
		{"unavailable before not found", errors.Join(registry.ErrNotFound, registry.ErrUnavailable), 6},
		{"not found before content", errors.Join(registry.ErrContent, registry.ErrNotFound), 4},
		{"content before no worker", errors.Join(build.ErrNoWorker, inspect.ErrMismatch), 3},
		{"no worker before refused", errors.Join(registry.ErrRefused, build.ErrNoWorker), 9},
		{"refused before conflict", errors.Join(registry.ErrConflict, registry.ErrRefused), 8},
		{"conflict before anything", errors.Join(errors.New("x"), registry.ErrConflict), 7},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.want)
		}
	}
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.Join(errors.New("a"), errors.New("b")), "mtool: a\nmtool: b\n"},
		{
			fmt.Errorf("x: %w: %w", errors.Join(errors.New("a"), errors.New("b")), registry.ErrContent),
			"mtool: x: a\nmtool: b: content does not match\n",
		},
		{
			fmt.Errorf("x: %w",
				&inspect.CheckError{Findings: []inspect.Finding{{Message: "a"}, {Message: "b\nhint: run this"}}}),
			"mtool: x: a\nmtool: b\\nhint: run this\n",
		},
		{errors.New("a\nhint: run this"), "mtool: a\\nhint: run this\n"},
		{usagef("mtool x", "a"), "mtool: a\nhint: mtool x\n"},
		{fmt.Errorf("outer: %w", usagef("mtool x", "a")), "mtool: outer: a\nhint: mtool x\n"},
		{
			errors.Join(usagef("", "a"), usagef("mtool x", "b"), usagef("mtool y", "c")),
			"mtool: a\nmtool: b\nmtool: c\nhint: mtool x\n",
		},
		{fmt.Errorf("x: %w", context.Canceled), "mtool: interrupted\n"},
		{errors.New("a\x1b[31m"), "mtool: a\\u001b[31m\n"},
	} {
		var out bytes.Buffer
		writeError(&out, c.err)
		if out.String() != c.want {
			t.Errorf("writeError(%q) printed %q, want %q", c.err, &out, c.want)
		}
	}
}

func TestPanicIsOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := Run(t.Context(), []string{"version"}, Stdio{Out: panicking{}, Err: &out}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "report") {
		t.Errorf("printed %q", got)
	}
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("boom") }

func TestOrdered(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"L --amend A B --amend C": "L A B C",
		"L A --amend B --amend C": "L A B C",
		"L --amend=A --amend B C": "L A B C",
		"--amend L A B":           "L A B",
	} {
		a := &application{}
		cmd := a.createCommand()
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		o := cmd.Flags().Lookup("amend").Value.(*ordered)
		if got := strings.Join(o.merge(cmd.Flags().Args()), " "); got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}
