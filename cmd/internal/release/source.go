package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// release is a release in progress.
type release struct {
	options
	number string // the version without v
	tmp    string
	source string // a clone with the version's tag
	home   string // the web page of the module
	at     time.Time
	mtool  string // the program for this machine
	common []file // files in every archive
	made   []made
	names  []string // of the files in dist

	scanner string // the name of the image that makes SBOMs
}

// made is an archive that is finished.
type made struct {
	target
	Binary, Archive string
	Sum             [sha256.Size]byte // of the archive
	notices         []byte
}

// prepare clones the commit and builds the mtool that helps with the rest.
func prepare(ctx context.Context, o options, tmp string) (*release, error) {
	if !semver.IsValid(o.version) || semver.Canonical(o.version) != o.version {
		return nil, fmt.Errorf("%q is not a version such as v1.0.0", o.version)
	}
	name, err := exec.CommandContext(ctx, "go", "list", "-m").Output()
	if err != nil {
		return nil, fmt.Errorf("asking for the module's name: %w", err)
	}
	path := strings.TrimSpace(string(name))
	if err := checkMajor(path, o.version); err != nil {
		return nil, err
	}
	r := &release{options: o, number: o.version[1:], tmp: tmp, source: filepath.Join(tmp, "source")}
	if err := r.clone(ctx); err != nil {
		return nil, err
	}
	r.home = homeOf(path)
	if r.url == "" {
		r.url = r.home + "/releases/download/" + r.version
	}
	r.mtool = filepath.Join(tmp, "host", "mtool")
	if err := r.compile(ctx, target{}, r.mtool, "./cmd/mtool"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dist, 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(r.dist, sumsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return r, r.document(ctx)
}

// checkMajor checks that the go command would give this version to a program of the module:
// https://go.dev/ref/mod#major-version-suffixes
func checkMajor(path, version string) error {
	_, major, ok := module.SplitPathVersion(path)
	if !ok || module.CheckPathMajor(version, major) != nil {
		return fmt.Errorf("a module of the name %s can't have version %s: %[3]s needs a name that ends in /%[3]s", path, version,
			semver.Major(version))
	}
	return nil
}

// homeOf returns the web page of a module.
func homeOf(path string) string {
	if strings.Contains(path, ".") {
		prefix, _, _ := module.SplitPathVersion(path)
		return "https://" + prefix
	}
	return "https://github.com/you/mtool" // until the module has an address
}

// clone makes a clone of HEAD and tags it with the version. An existing tag must be on HEAD.
func (r *release) clone(ctx context.Context) error {
	clone := exec.CommandContext(ctx, "git", "clone", "--quiet", "--shared", ".", r.source)
	clone.Stderr = os.Stderr
	if err := clone.Run(); err != nil {
		return fmt.Errorf("cloning this repository: %w", err)
	}
	head, err := r.output(ctx, nil, "git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	if tagged, err := r.output(ctx, nil, "git", "rev-parse", "--quiet", "--verify",
		"refs/tags/"+r.version+"^{commit}"); err == nil {
		if tagged != head {
			return fmt.Errorf("the tag %s is on commit %s, not on %s", r.version, tagged, head)
		}
	} else if _, err := r.output(ctx, nil, "git", "tag", r.version); err != nil {
		return err
	}
	date, err := r.output(ctx, nil, "git", "show", "--no-patch", "--format=%ct", "HEAD")
	if err != nil {
		return err
	}
	seconds, err := time.ParseDuration(date + "s")
	r.at = time.Unix(0, 0).UTC().Add(seconds)
	return err
}

// document collects the files of every archive: documents, man pages and completions.
func (r *release) document(ctx context.Context) error {
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		body, err := os.ReadFile(filepath.Join(r.source, name))
		if err != nil {
			return err
		}
		r.common = append(r.common, file{name, 0o644, body})
	}
	docs := filepath.Join(r.tmp, "docs")
	if _, err := r.output(ctx, nil, r.mtool, "docs", docs); err != nil {
		return err
	}
	made := os.DirFS(docs)
	return fs.WalkDir(made, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "reference.md" {
			return err
		}
		body, err := fs.ReadFile(made, name)
		r.common = append(r.common, file{name, 0o644, body})
		return err
	})
}

// output runs a program in the clone, with more environment variables, and returns its standard output.
func (r *release) output(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := r.command(ctx, name, args...)
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		stderr.Write(out) // nfpm prints errors there
		err = fmt.Errorf("%s: %w: %s", strings.Join(append([]string{filepath.Base(name)}, args...), " "), err,
			bytes.TrimSpace(stderr.Bytes()))
	}
	return string(bytes.TrimSpace(out)), err
}

// command returns a program that runs in the clone, with a store of its own.
func (r *release) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = r.source, append(os.Environ(), "GOFLAGS=", "MTOOL_HOME="+filepath.Join(r.tmp, "home"))
	return cmd
}
