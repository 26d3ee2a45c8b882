package cli

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// A command that is made alone is what it is among all.
func TestCommandsAlone(t *testing.T) {
	t.Parallel()
	run := func(args ...string) string {
		var out bytes.Buffer
		if code := Run(context.Background(), args, Stdio{In: strings.NewReader(""), Out: &out, Err: &out}); code != 0 {
			t.Errorf("%q: code %d: %s", args, code, &out)
		}
		return out.String()
	}
	for name, command := range (&application{}).commands() {
		if got := command().Name(); got != name {
			t.Errorf("%q makes %q", name, got)
		}
		if alone, among := run(name, "--help"), run("help", name); alone != among {
			t.Errorf("%s alone:\n%s\namong all:\n%s", name, alone, among)
		}
		alone := run("__complete", name, "--")
		for line := range strings.Lines(run("__complete", "-q", name, "--")) { // without -q, which is there already
			if !strings.Contains(alone, line) {
				t.Errorf("%s alone does not complete %q:\n%s", name, line, alone)
			}
		}
	}
}

// TestGroups: the main help lists each command in one group.
func TestGroups(t *testing.T) {
	t.Parallel()
	listed := map[string]int{"completion": -1, "help": -1, pluginWord: 1} // the first two are cobra's
	for _, g := range groups() {
		for _, name := range g.commands {
			listed[name]++
		}
	}
	for name := range (&application{}).commands() {
		if listed[name] != 1 {
			t.Errorf("%s is in %d groups", name, listed[name])
		}
	}
}

// BenchmarkStart is what a command line costs before its command does anything.
func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Run(context.Background(), []string{"version"}, Stdio{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	}
}
