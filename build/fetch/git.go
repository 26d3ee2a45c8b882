package fetch

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

	"mtool/build"
	"mtool/registry"
)

// IsGit says whether place is the address of a Git repository, by the rules that docker build has.
// https://docs.docker.com/build/concepts/context/#git-repositories
func IsGit(place string) bool {
	for _, prefix := range []string{"git://", "git@", "ssh://", "github.com/"} {
		if strings.HasPrefix(place, prefix) {
			return true
		}
	}
	address, _, _ := strings.Cut(place, "#")
	return strings.HasSuffix(address, ".git") && (isHTTP(place) || strings.HasPrefix(place, "file://"))
}

type gitPlace struct{ url, ref, dir string }

func parseGit(place string) gitPlace {
	url, fragment, _ := strings.Cut(place, "#")
	if strings.HasPrefix(url, "github.com/") {
		url = "https://" + url
	}
	ref, dir, _ := strings.Cut(fragment, ":")
	return gitPlace{url, ref, dir}
}

// clone takes one commit of a repository, with its submodules.
func clone(ctx context.Context, c *Context, place string, o Options) error {
	p := parseGit(place)
	if strings.HasPrefix(p.ref, "-") || strings.HasPrefix(p.url, "-") { // would be read as an option
		return fmt.Errorf("%w: %q", build.ErrUsage, shown(place))
	}
	g := git{dir: c.Dir, url: p.url, env: append(slowest(o.Idle), o.Env...)}
	if err := g.fetch(ctx, p); err != nil {
		return fmt.Errorf("fetching build context %q: %w", shown(place), err)
	}
	epoch, err := g.commitTime(ctx)
	if err != nil {
		return err
	}
	c.Epoch = epoch
	if !o.KeepGitDir {
		if err := os.RemoveAll(filepath.Join(c.Dir, ".git")); err != nil {
			return err
		}
	}
	if p.dir == "" {
		return nil
	}
	if !filepath.IsLocal(p.dir) {
		return fmt.Errorf("%w: directory %q lies outside of the repository", build.ErrUsage, p.dir)
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(c.Dir, p.dir))
	if err != nil {
		return fmt.Errorf("%w: %q has no directory %q", build.ErrUsage, shown(place), p.dir)
	}
	if inside, err := filepath.Rel(c.Dir, dir); err != nil || !filepath.IsLocal(inside) {
		return fmt.Errorf("%w: directory %q leads out of the repository", build.ErrUsage, p.dir)
	}
	c.Dir = dir
	return nil
}

// slowest makes git give up a server that sends less than a byte a second for so long; what its user has set comes first.
func slowest(idle time.Duration) []string {
	if os.Getenv("GIT_HTTP_LOW_SPEED_TIME") != "" || idle < 0 {
		return nil
	}
	seconds := max(1, int(cmp.Or(idle, time.Minute).Seconds()))
	return []string{"GIT_HTTP_LOW_SPEED_LIMIT=1", fmt.Sprintf("GIT_HTTP_LOW_SPEED_TIME=%d", seconds)}
}

// git runs the git command in a directory.
type git struct {
	dir string
	url string // may have a password
	env []string
}

func (g git) fetch(ctx context.Context, p gitPlace) error {
	ref := p.ref
	if ref == "" {
		ref = "HEAD"
	}
	if _, err := g.run(ctx, "init", "--quiet"); err != nil {
		return err
	}
	_, err := g.run(ctx, "fetch", "--quiet", "--depth", "1", "--", p.url, ref)
	if err == nil {
		_, err = g.run(ctx, "checkout", "--quiet", "--detach", "FETCH_HEAD")
	} else {
		err = errors.Join(err, ctx.Err())
		if p.ref != "" { // servers need not give a commit by its digest alone
			err = g.fetchAll(ctx, p, err)
		}
	}
	if err != nil {
		return err
	}
	_, err = g.run(ctx, "submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1")
	return err
}

func (g git) fetchAll(ctx context.Context, p gitPlace, first error) error {
	if _, err := g.run(ctx, "fetch", "--quiet", "--tags", "--", p.url, "+refs/heads/*:refs/remotes/origin/*"); err != nil {
		return first
	}
	if _, err := g.run(ctx, "checkout", "--quiet", "--detach", p.ref); err != nil {
		return fmt.Errorf("%w: no branch, tag or commit %q", build.ErrUsage, p.ref)
	}
	return nil
}

func (g git) run(ctx context.Context, args ...string) (string, error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = g.dir, &out, &said
	cmd.Env = append(append(os.Environ(), g.env...), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("%w: a Git build context needs the git command: %w", build.ErrUsage, err)
		}
		return "", fmt.Errorf("%w: git %s: %w: %s", registry.ErrUnavailable, args[0], err, g.words(said.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// words are what git said, without a password.
func (g git) words(said string) string {
	if g.url != "" {
		said = strings.ReplaceAll(said, g.url, shown(g.url))
	}
	return strings.TrimSpace(said)
}

// commitTime lets nothing be checked by programs that the repository's own settings may name.
func (g git) commitTime(ctx context.Context) (string, error) {
	return g.run(ctx, "log", "-1", "--no-show-signature", "--format=%ct")
}

// CommitTime is the time of the commit that dir is checked out from, in seconds since 1970.
func CommitTime(ctx context.Context, dir string) (string, error) {
	t, err := git{dir: dir}.commitTime(ctx)
	if err != nil {
		return "", fmt.Errorf("finding the commit of %q: %w", dir, err)
	}
	return t, nil
}
