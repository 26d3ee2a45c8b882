package buildcontext

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"mtool/build/snapshot"
	"mtool/registry"
)

// Context is a build context on disk.
type Context struct {
	Dir        string
	Dockerfile string                    // if the context was only a Dockerfile; else ""
	Epoch      string                    // of a Git context: the commit's time, in seconds since 1970; else ""
	VCS        map[string]string         // of a Git context, as provenance names it: source, revision, localdir:context
	Entries    map[string]snapshot.Entry // of an archive: its headers for the files in Dir
	temporary  string
}

// Close removes what Open made.
func (c Context) Close() error {
	if c.temporary == "" {
		return nil
	}
	return os.RemoveAll(c.temporary)
}

// Options tune Open; the zero value works for directories.
type Options struct {
	In         io.Reader    // what "-" reads
	Client     *http.Client // default: http.DefaultClient
	KeepGitDir bool         // leave .git in a Git context
	Env        []string     // for the git command, added to the environment

	Note func(string) // called with remarks for the user; optional

	Idle time.Duration // how long a server may stall, Git by HTTP included; 0: a minute, negative: forever
}

// enter makes a directory in the repository the context.
func (c *Context) enter(name, given string) error {
	if name == "" {
		return nil
	}
	if !filepath.IsLocal(name) {
		return registry.Usagef("directory %q lies outside of the repository", name)
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(c.Dir, name))
	if err != nil {
		return registry.Usagef("%q has no directory %q", shown(given), name)
	}
	if inside, err := filepath.Rel(c.Dir, dir); err != nil || !filepath.IsLocal(inside) {
		return registry.Usagef("directory %q leads out of the repository", name)
	}
	c.Dir = dir
	return nil
}
