package inspect_test

import (
	"testing"

	"mtool/inspect"
)

func TestStrictly(t *testing.T) {
	t.Parallel()
	rules := []inspect.Rule{{Name: "fails"}, {Name: "stays", Stays: "it reports what was seen"}}
	all := []inspect.Finding{
		inspect.Finding{}.Note("fails"), inspect.Finding{}.Note("stays"), inspect.Finding{}.Note("in no table"),
		{State: inspect.Unchecked},
		{State: inspect.ClaimsOK},
		{State: inspect.Unknown, Rule: "fails"},
	}
	want := []inspect.State{
		inspect.Mismatch, inspect.Note, inspect.Mismatch, inspect.Unchecked, inspect.ClaimsOK,
		inspect.Unknown,
	}
	inspect.Strictly(all, rules)
	for n, f := range all {
		if f.State != want[n] {
			t.Errorf("finding %d is %s, want %s", n, f.State, want[n])
		}
	}
}
