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

// git runs the git command, only in a repository that mtool has made: settings, hooks and the like are mtool's and
// the user's, never those of the repository's author.
type git struct {
	dir       string
	url       string   // may contain a password
	env       []string // in addition to the environment
	protocols string   // allowed protocols, separated by colons; "" for none
	own       bool     // dir is a bare repository, and the user's settings are ignored: no network is used
}

// settings returns options that override configuration. They also disable the user's hooks and monitors, which are
// for working trees.
func settings() []string {
	var args []string
	for _, s := range []string{
		"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "core.attributesFile=" + os.DevNull,
		"safe.bareRepository=explicit",
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

// environment returns the user's environment without what would make git use another repository: a hook that starts
// mtool has GIT_DIR set.
func (g git) environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); !strings.HasPrefix(name, "GIT_") || !g.own && forNetwork(name) {
			env = append(env, pair)
		}
	}
	if g.own {
		env = append(env, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_DIR="+g.dir, "HOME="+g.dir,
			"XDG_CONFIG_HOME="+g.dir)
	}
	env = append(env, g.env...)
	return append(env, "GIT_ALLOW_PROTOCOL="+g.protocols, "GIT_NO_LAZY_FETCH=1", "GIT_ATTR_NOSYSTEM=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_ALLOC_LIMIT=1g", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}

// forNetwork reports whether a variable is about reaching repositories, not about choosing one.
func forNetwork(name string) bool {
	for _, prefix := range []string{
		"GIT_SSH", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_", "GIT_CONFIG_", "GIT_ASKPASS",
		"GIT_TRACE", "GIT_CURL_",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// words returns git's output without passwords.
func (g git) words(said string) string {
	if g.url != "" {
		said = strings.ReplaceAll(said, g.url, shown(g.url))
	}
	return strings.TrimSpace(said)
}

// slowest makes git give up on a server that sends less than a byte a second for that long; the user's settings win.
func slowest(idle time.Duration) []string {
	if os.Getenv("GIT_HTTP_LOW_SPEED_TIME") != "" || idle < 0 {
		return nil
	}
	seconds := max(1, int(cmp.Or(idle, time.Minute).Seconds()))
	return []string{"GIT_HTTP_LOW_SPEED_LIMIT=1", fmt.Sprintf("GIT_HTTP_LOW_SPEED_TIME=%d", seconds)}
}

// withoutFilters makes the template of new repositories, including submodules. Its attributes override those in the
// repository, which could name any filter program that the user has configured.
func withoutFilters(dir string) (env string, err error) {
	info := filepath.Join(dir, "template", "info")
	if err := os.MkdirAll(info, 0o700); err != nil {
		return "", err
	}
	return "GIT_TEMPLATE_DIR=" +
		filepath.Dir(info), os.WriteFile(filepath.Join(info, "attributes"), []byte("* -filter\n"), 0o600)
}

// capped is a buffer that fails beyond its limit.
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
