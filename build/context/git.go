package buildcontext

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"mtool/registry"
	"mtool/registry/regular"
)

// remoteProtocols are allowed for a repository and its submodules.
const remoteProtocols = "https:http:ssh:git"

// clone fetches one commit of a repository, with its submodules.
func clone(ctx context.Context, c *Context, given string, o Options) error {
	p, err := parseGit(given)
	if err != nil {
		return err
	}
	if strings.HasPrefix(p.ref, "-") || strings.HasPrefix(p.url, "-") { // git would take it for an option
		return registry.Usagef("%q: an address or a ref can't begin with a dash", shown(given))
	}
	template, err := withoutFilters(c.temporary)
	if err != nil {
		return err
	}
	g := git{dir: c.Dir, url: p.url, env: append(append(slowest(o.Idle), o.Env...), template), protocols: remoteProtocols}
	if strings.HasPrefix(p.url, fileScheme) {
		p, err = lendAddress(ctx, filepath.Join(c.temporary, "lent.git"), p)
	}
	if err == nil {
		err = g.fetch(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("fetching build context %q: %w", shown(given), err)
	}
	if err := g.checkCommit(ctx, p, given); err != nil {
		return err
	}
	if c.Epoch, err = g.commitTime(ctx, "HEAD"); err != nil {
		return err
	}
	if c.VCS, err = g.vcs(ctx, given); err != nil {
		return err
	}
	if filters := filtersIn(c.Dir); filters && o.Note != nil {
		o.Note(fmt.Sprintf(
			"note: filters that %q has in .gitattributes (LFS, for one) are not run: their files are as Git holds them",
			shown(given)))
	}
	if !o.KeepGitDir {
		if err := os.RemoveAll(filepath.Join(c.Dir, ".git")); err != nil {
			return err
		}
	}
	return c.enter(p.dir, given)
}

// vcs returns what provenance says of the repository, as buildx writes it.
func (g git) vcs(ctx context.Context, given string) (map[string]string, error) {
	p, err := parseGit(given)
	if err != nil {
		return nil, err
	}
	id, err := g.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD")
	if err != nil {
		return nil, err
	}
	all := map[string]string{"source": p.url, "revision": id}
	if u, err := url.Parse(p.url); err == nil && u.User != nil && u.Scheme != "ssh" { // a password is nobody's business
		u.User = nil
		all["source"] = u.String()
	}
	if p.dir != "" {
		all["localdir:context"] = p.dir
	}
	return all, nil
}

// checkCommit refuses any commit other than the address requires.
func (g git) checkCommit(ctx context.Context, p gitAddress, given string) error {
	if p.commit == "" {
		return nil
	}
	id, err := g.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD")
	if err != nil {
		return err
	}
	if len(p.commit) < shortestCommit || !strings.HasPrefix(id, p.commit) {
		return fmt.Errorf("fetching build context %q: %w: it is commit %s, not %s", shown(given), registry.ErrContent,
			id, p.commit)
	}
	return nil
}

// shortestCommit is the minimum number of digits that Git shows of a commit.
const shortestCommit = 7

func (g git) fetch(ctx context.Context, p gitAddress) error {
	ref := p.ref
	if ref == "" {
		ref = "HEAD"
	}
	if _, err := g.run(ctx, "init", "--quiet"); err != nil {
		return err
	}
	main := g
	if strings.HasPrefix(p.url, fileScheme) {
		main.protocols = "file" // of the lent repository, whose settings are mtool's
	}
	_, err := main.run(ctx, "fetch", "--quiet", "--depth", "1", "--", p.url, ref)
	if err == nil {
		_, err = g.run(ctx, "checkout", "--quiet", "--detach", "FETCH_HEAD")
	} else {
		err = errors.Join(err, ctx.Err())
		if p.ref != "" { // a server may refuse to serve a commit by its digest alone
			err = main.fetchAll(ctx, p, err)
		}
	}
	if err != nil {
		return err
	}
	_, err = g.run(ctx, "submodule", "--quiet", "update", "--init", "--checkout", "--recursive", "--depth", "1")
	return err
}

func (g git) fetchAll(ctx context.Context, p gitAddress, first error) error {
	if _, err := g.run(ctx, "fetch", "--quiet", "--tags", "--", p.url, "+refs/heads/*:refs/remotes/origin/*"); err != nil {
		return first
	}
	if _, err := g.run(ctx, "checkout", "--quiet", "--detach", p.ref); err != nil {
		return registry.Usagef("no branch, tag or commit %q", p.ref)
	}
	return nil
}

// filtersIn reports whether the repository uses filter programs.
func filtersIn(dir string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close() //nolint:errcheck // a folder, opened to stay within it
	attributes, err := regular.ReadIn(root, ".gitattributes", regular.MaxText)
	return err == nil && strings.Contains(string(attributes), "filter=")
}

// lendAddress replaces an address on this machine by a repository that mtool has made. Git's server would read the
// settings of the original.
func lendAddress(ctx context.Context, to string, p gitAddress) (gitAddress, error) {
	u, err := url.Parse(p.url)
	if err != nil {
		return p, registry.Usagef("%w", err)
	}
	r, err := repositoryAt(u.Path)
	if err != nil {
		return p, err
	}
	id, err := r.resolve(p.ref)
	if err != nil {
		return p, err
	}
	if id == "" { // for example an abbreviated commit
		if err := r.lend(to, ""); err != nil {
			return p, err
		}
		g := git{dir: to, own: true}
		if id, err = g.run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", p.ref+"^{commit}"); err != nil {
			return p, registry.Usagef("no branch, tag or commit %q", p.ref)
		}
		if err := os.RemoveAll(to); err != nil {
			return p, err
		}
	}
	p.url, p.ref = fileScheme+filepath.ToSlash(to), lentRef
	return p, r.lend(to, id)
}
