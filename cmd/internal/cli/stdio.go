package cli

import (
	"io"
	"os"
	"sync"
)

// Stdio are the streams of a command: Out is data, Err is everything else.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// inTurn is w for those who write at one time: registries and workers have something to say whenever it is so. A file takes
// one line after the other by itself, and must be seen to be one where it is a terminal.
func inTurn(w io.Writer) io.Writer {
	if _, ok := w.(*os.File); ok {
		return w
	}
	return &turns{w: w}
}

type turns struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *turns) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(p)
}
