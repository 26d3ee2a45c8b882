package cli

import "io"

// Stdio are the streams of a command: Out is data, Err is everything else.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}
