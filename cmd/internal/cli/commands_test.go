package cli

import (
	"context"
	"io"
	"strings"
	"testing"
)

// The main help lists each command in exactly one group.
func TestGroups(t *testing.T) {
	t.Parallel()
	listed := map[string]int{"completion": -1, "help": -1} // cobra's
	for _, g := range groups() {
		for name := range strings.FieldsSeq(g.names) {
			listed[name]++
		}
	}
	for _, c := range (&application{}).commands() {
		if name := c.Name(); !c.Hidden && listed[name] != 1 {
			t.Errorf("%s is in %d groups", name, listed[name])
		}
	}
}

// BenchmarkStart measures the start of the program, up to a command's own work.
func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Run(context.Background(), []string{"version"}, Stdio{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	}
}
