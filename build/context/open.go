package buildcontext

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"mtool/registry"
	"mtool/registry/remote"
)

// Open turns given into a directory. It may be a directory, "-", a Git address (git://…, git@…, ssh://…, …/NAME.git,
// github.com/…, each with an optional #REF[:DIR]), or an http address of an archive or a Dockerfile. The caller must
// close the Context.
func Open(ctx context.Context, given string, o Options) (Context, error) {
	switch {
	case given == "-":
		return inTemporary(func(c *Context) error { return unpack(c, o.In, "standard input") })
	case isGit(given):
		return inTemporary(func(c *Context) error { return clone(ctx, c, given, o) })
	case isHTTP(given):
		return inTemporary(func(c *Context) error { return download(ctx, c, given, o) })
	}
	return Context{Dir: given}, nil
}

func inTemporary(fill func(*Context) error) (_ Context, err error) {
	dir, err := os.MkdirTemp("", "mtool-context-")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return Context{}, err
	}
	c := Context{Dir: filepath.Join(dir, "context"), temporary: dir}
	if err := os.Mkdir(c.Dir, 0o755); err != nil {
		return Context{}, errors.Join(err, c.Close())
	}
	if err := fill(&c); err != nil {
		return Context{}, errors.Join(err, c.Close())
	}
	return c, nil
}

func download(ctx context.Context, c *Context, given string, o Options) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, given, nil)
	if err != nil {
		return registry.Usagef("%w", err)
	}
	client := *cmp.Or(o.Client, http.DefaultClient)
	client.Transport = remote.LimitIdle(cmp.Or(client.Transport, http.DefaultTransport), cmp.Or(o.Idle, time.Minute))
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", registry.ErrUnavailable, err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		return fmt.Errorf("build context %q: %w: %s", shown(given), registry.ErrNotFound, answer.Status)
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("build context %q: %w: %s", shown(given), registry.ErrUnavailable, answer.Status)
	}
	body := &network{Reader: answer.Body}
	err = unpack(c, body, fmt.Sprintf("%q", shown(given)))
	if err != nil && body.err != nil {
		return fmt.Errorf("build context %q: %w: %w", shown(given), registry.ErrUnavailable, body.err)
	}
	return err
}

// network records how reading an answer failed: the unpacker would blame the archive.
type network struct {
	io.Reader
	err error
}

func (n *network) Read(p []byte) (int, error) {
	read, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return read, err
}

// unpack unpacks an archive or, as docker does, takes text for a Dockerfile with an empty context.
func unpack(c *Context, r io.Reader, from string) error {
	b := bufio.NewReaderSize(r, 1<<16)
	plain, archive, err := decompress(b)
	if err != nil {
		return registry.Usagef("%s: %w", from, err)
	}
	if archive {
		if c.Entries, err = untar(c.Dir, plain); err != nil {
			return fmt.Errorf("unpacking %s: %w", from, err)
		}
		return nil
	}
	c.Dockerfile = filepath.Join(c.temporary, "Dockerfile")
	f, err := os.Create(c.Dockerfile)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(plain, maxDockerfile+1))
	switch err = errors.Join(err, f.Close()); {
	case err != nil:
		return fmt.Errorf("reading %s: %w", from, err)
	case n == 0:
		return registry.Usagef("%s is empty", from)
	case n > maxDockerfile:
		return registry.Usagef("%s is neither an archive nor a Dockerfile: it is longer than %d bytes", from, maxDockerfile)
	}
	return nil
}

// maxDockerfile is far more than people write; a longer file is something else.
const maxDockerfile = 4 << 20
