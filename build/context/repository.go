package buildcontext

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"mtool/registry"
	"mtool/registry/regular"
)

// repository is an untrusted Git repository on this machine. Its files are read, but git is never started in it: its
// config, hooks and attributes can name programs.
type repository struct {
	dir    string // where HEAD is
	common string // where refs and objects are; differs for a tree made by git worktree
}

// findRepository looks for .git in dir and its parents. It ignores bare repositories: anybody can commit one as
// files.
func findRepository(dir string) (repository, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return repository{}, err
	}
	for at := abs; ; at = filepath.Dir(at) {
		r, err := worktreeAt(at)
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			if errors.Is(err, fs.ErrNotExist) {
				err = registry.Usagef("it is in no Git repository")
			}
			return r, err
		}
	}
}

// worktreeAt returns the repository of a working tree with top directory dir; fs.ErrNotExist if there is none.
func worktreeAt(dir string) (repository, error) {
	path := filepath.Join(dir, ".git")
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return repository{}, err
	case info.IsDir():
		return repositoryIn(path)
	case info.Mode().IsRegular():
		return followed(path)
	}
	return repository{}, registry.WithKind(fmt.Errorf("%q is neither a directory nor a file", path),
		registry.ErrContent)
}

// repositoryAt returns the repository at a path that the user named: a bare one, or that of a working tree.
func repositoryAt(path string) (repository, error) {
	if r, err := repositoryIn(path); err == nil {
		return r, nil
	}
	r, err := worktreeAt(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = registry.WithKind(fmt.Errorf("%q is no Git repository", path), registry.ErrNotFound)
	}
	return r, err
}

func repositoryIn(dir string) (repository, error) {
	for _, name := range []string{"HEAD", "objects"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return repository{}, err
		}
	}
	return repository{dir, dir}, nil
}

// followed returns the repository that a file .git names: of a submodule, or of a tree made by git worktree. That
// repository must name the tree too: the author of such a file may not choose among all repositories of the machine.
func followed(file string) (repository, error) {
	top := filepath.Dir(file)
	dir, err := pathIn(file, "gitdir: ", top)
	if err != nil {
		return repository{}, err
	}
	if filepath.Base(filepath.Dir(dir)) == "worktrees" {
		if back, err := pathIn(filepath.Join(dir, "gitdir"), "", dir); err == nil && back == file {
			return repository{dir, filepath.Dir(filepath.Dir(dir))}, nil
		}
	}
	if outer, err := findRepository(filepath.Dir(top)); err == nil {
		if inside, err := filepath.Rel(filepath.Join(outer.dir, "modules"), dir); err == nil && filepath.IsLocal(inside) &&
			inside != "." {
			return repositoryIn(dir)
		}
	}
	return repository{}, fmt.Errorf(
		"%q names the repository %q, which is neither that of a submodule nor one with this working tree: %w",
		file, dir, registry.ErrContent)
}

// pathIn reads a file that consists of a prefix and a path.
func pathIn(file, prefix, relativeTo string) (string, error) {
	const longest = 8 << 10
	text, err := regular.Read(file, longest)
	if err != nil {
		return "", err
	}
	path, ok := strings.CutPrefix(strings.TrimSpace(string(text)), prefix)
	if !ok || path == "" || strings.ContainsAny(path, "\n\x00") {
		return "", registry.WithKind(fmt.Errorf("%q names no directory", file), registry.ErrContent)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(relativeTo, path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", registry.WithKind(fmt.Errorf("%q names a directory that is not there", file), registry.ErrContent)
	}
	return real, nil
}

var (
	objectID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	fanOut   = regexp.MustCompile(`^([0-9a-f]{2}|pack)$`)
)

const (
	maxRef        = 4 << 10   // bytes, of HEAD or a ref
	maxPackedRefs = 256 << 20 // a repository with a million refs has a hundred megabytes
)

// resolve returns the id of a branch, a tag or another ref, of HEAD if the name is empty, and of an id itself. ""
// means unknown.
func (r repository) resolve(name string) (string, error) {
	if objectID.MatchString(name) {
		return name, nil
	}
	names := []string{"refs/heads/" + name, "refs/tags/" + name, name, "refs/" + name}
	if name == "" || name == "HEAD" {
		text, err := regular.Read(filepath.Join(r.dir, "HEAD"), maxRef)
		if err != nil {
			return "", err
		}
		head := strings.TrimSpace(string(text))
		if objectID.MatchString(head) {
			return head, nil
		}
		names = []string{strings.TrimPrefix(head, "ref: ")}
	}
	for _, ref := range names {
		id, err := r.ref(ref)
		if id != "" || err != nil {
			return id, err
		}
	}
	if name == "" {
		return "", fmt.Errorf("no commit is checked out in %q, or its refs are kept in a way that is not read: %w", r.dir,
			registry.ErrContent)
	}
	return "", nil
}

// ref returns the id of a ref by its full name, from its own file or from the packed refs.
func (r repository) ref(name string) (string, error) {
	if !strings.HasPrefix(name, "refs/") || !filepath.IsLocal(name) {
		return "", nil
	}
	text, err := regular.Read(filepath.Join(r.common, filepath.FromSlash(name)), maxRef)
	if err == nil {
		id := strings.TrimSpace(string(text))
		if !objectID.MatchString(id) {
			return "", registry.WithKind(fmt.Errorf("%q in %q holds no id", name, r.common), registry.ErrContent)
		}
		return id, nil
	}
	if directory := errors.Is(err, regular.ErrFile) &&
		isDir(filepath.Join(r.common, name)); !errors.Is(err, fs.ErrNotExist) && !directory {
		return "", err
	}
	packed, err := regular.Read(filepath.Join(r.common, "packed-refs"), maxPackedRefs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	for line := range strings.Lines(string(packed)) {
		if id, ref, _ := strings.Cut(strings.TrimSpace(line), " "); ref == name && objectID.MatchString(id) {
			return id, nil
		}
	}
	return "", err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
