package buildcontext

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mtool/registry"
)

// git runs the git command in a repository that mtool has made, and in no other: settings, hooks and the like are mtool's and
// the user's own, never those of whoever wrote the repository.
type git struct {
	dir       string
	url       string   // may have a password
	env       []string // beside the environment
	protocols string   // that may be used: names with colons between; "" is none
	own       bool     // dir is a bare repository, and nothing of the user's settings matters: no network is used
}

// settings hold whatever else is configured. The user's own hooks and monitors are left out too: they are for repositories to
// work in.
func settings() []string {
	var args []string
	for _, s := range []string{
		"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "core.attributesFile=" + os.DevNull, "safe.bareRepository=explicit",
		"submodule.recurse=false", "fetch.recurseSubmodules=false", "gc.auto=0", "maintenance.auto=false",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// maxSaid is the limit, in bytes, of what the git command may print: a commit is far smaller.
const maxSaid = 16 << 20

func (g git) run(ctx context.Context, args ...string) (string, error) {
	out, said := &capped{most: maxSaid}, &capped{most: maxSaid}
	cmd := exec.CommandContext(ctx, "git", append(settings(), args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = g.dir, out, said, g.environment()
	cmd.WaitDelay = 5 * time.Second // its helpers may outlive it
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", registry.Usagef("reading a Git repository needs the git command: %w", err)
		}
		return "", fmt.Errorf("%w: git %s: %w: %s", registry.ErrUnavailable, args[0], err, g.words(said.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// environment is that of the user, without what would make git act on another repository: a hook that starts mtool has
// GIT_DIR set.
func (g git) environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); !strings.HasPrefix(name, "GIT_") || !g.own && forNetwork(name) {
			env = append(env, pair)
		}
	}
	if g.own {
		env = append(env, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_DIR="+g.dir, "HOME="+g.dir, "XDG_CONFIG_HOME="+g.dir)
	}
	env = append(env, g.env...)
	return append(env, "GIT_ALLOW_PROTOCOL="+g.protocols, "GIT_NO_LAZY_FETCH=1", "GIT_ATTR_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_ALLOC_LIMIT=1g", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}

// forNetwork reports whether a variable says how repositories are reached, and not which one is meant.
func forNetwork(name string) bool {
	for _, prefix := range []string{"GIT_SSH", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_", "GIT_CONFIG_", "GIT_ASKPASS", "GIT_TRACE", "GIT_CURL_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// words are what git said, without a password.
func (g git) words(said string) string {
	if g.url != "" {
		said = strings.ReplaceAll(said, g.url, shown(g.url))
	}
	return strings.TrimSpace(said)
}

// slowest makes git give up a server that sends less than a byte a second for so long; what its user has set comes first.
func slowest(idle time.Duration) []string {
	if os.Getenv("GIT_HTTP_LOW_SPEED_TIME") != "" || idle < 0 {
		return nil
	}
	seconds := max(1, int(cmp.Or(idle, time.Minute).Seconds()))
	return []string{"GIT_HTTP_LOW_SPEED_LIMIT=1", fmt.Sprintf("GIT_HTTP_LOW_SPEED_TIME=%d", seconds)}
}

// withoutFilters makes the folder that new repositories, those of submodules too, are copied from: its attributes come before
// those in the repository, which can name any program that the user has set up as a filter.
func withoutFilters(dir string) (env string, err error) {
	info := filepath.Join(dir, "template", "info")
	if err := os.MkdirAll(info, 0o700); err != nil {
		return "", err
	}
	return "GIT_TEMPLATE_DIR=" + filepath.Dir(info), os.WriteFile(filepath.Join(info, "attributes"), []byte("* -filter\n"), 0o600)
}

// capped is a buffer that fails when it gets too much.
type capped struct {
	bytes.Buffer
	most int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > c.most {
		return 0, fmt.Errorf("more than %d bytes were printed", c.most)
	}
	return c.Buffer.Write(p)
}
