package cli

import (
	"context"
	"os"

	"golang.org/x/term"

	"mtool/registry/archive"
)

// stdinName stands for standard input, as in other tools.
const stdinName = "-"

// fileOfStdin returns name or, where that is "-", the name of a temporary file with what standard input holds: an
// archive is read where its parts lie. The file is there until remove is called.
func (a *application) fileOfStdin(ctx context.Context, name string) (path string, remove func(), err error) {
	if name != stdinName {
		return name, func() {}, nil
	}
	if f, ok := a.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return "", nil, usagef("docker save demo:v1 | mtool load -", "standard input is a terminal, not an archive")
	}
	path, err = archive.Spool(ctx, a.In)
	if err != nil {
		return "", nil, err
	}
	return path, func() { _ = os.Remove(path) }, nil
}
