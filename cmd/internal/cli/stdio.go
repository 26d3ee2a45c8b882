package cli

import (
	"io"

	"github.com/spf13/pflag"
)

// Stdio are the streams of a command: Out is data, Err is everything else.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// addNoTrunc adds the flag of commands whose tables have digests.
func (a *application) addNoTrunc(fl *pflag.FlagSet) {
	fl.BoolVar(&a.whole, "no-trunc", false, "print whole digests on a terminal too")
}
