package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrElsewhere is an ErrFile about something that a Compose file does not take from a file on this machine.
var ErrElsewhere = errors.New("it is not a local file, and no others are read")

// door opens for compose-go what a file includes or extends: through Options.Read, and as a copy.
type door struct{ *project }

// Accept accepts all paths, so that compose-go opens none itself.
func (door) Accept(string) bool { return true }

// Dir returns the base of relative paths, of which there are none left.
func (door) Dir(string) string { return "/" }

// Load returns the copy of the file named at a mark.
func (d door) Load(_ context.Context, path string) (string, error) {
	m, name, ok := d.unmark(path)
	if !ok || m.file == nil {
		return "", fmt.Errorf("no file names %q", path)
	}
	d.last = m
	at := func(format string, args ...any) error {
		return errorf(m.file.path, m.at.at(), m.what+": "+format, args...)
	}
	switch {
	case m.err != nil:
		return "", at("%q: %w", m.at.text, m.err)
	case strings.Contains(name, "://"), strings.HasPrefix(name, "git@"), d.options.Read == nil:
		return "", at("%q: %w", name, ErrElsewhere)
	}
	if err := d.count(); err != nil {
		return "", at("%w", err)
	}
	f := &composeFile{path: m.file.at(name), env: m.file.env}
	f.dir = filepath.Dir(f.path)
	err := d.open(f)
	if err == nil && m.include != nil {
		err = d.included(f, m)
	}
	var known *composeFile
	if err == nil {
		known, err = d.copied(f)
	}
	if err == nil {
		known.level = max(known.level, m.file.level+1)
		err = d.limit()
	}
	var placed fileError
	switch {
	case errors.As(err, &placed):
		return "", placed
	case err != nil:
		return "", at("%w", err)
	}
	return known.copy, nil
}

// included sets the folder and the variables of a file as its include item says.
func (p *project) included(f *composeFile, m mark) (err error) {
	fill := func(n *node) (string, error) {
		name, err := p.fill(n.str(), m.file.env.lookup)
		if err != nil {
			err = errorf(m.file.path, n.at(), "include: %q: %w", n.text, err)
		}
		return m.file.at(name), err
	}
	switch folder, paths := m.include.get("project_directory"), m.include.get("path").all(); {
	case folder.is(text):
		f.dir, err = fill(folder)
	case len(paths) > 1:
		f.dir, err = fill(paths[0])
		f.dir = filepath.Dir(f.dir)
	}
	if err == nil {
		f.env, err = p.environment(m.file.env, f.dir, m.file, m.include.get("env_file"))
	}
	return err
}

// open reads a file.
func (p *project) open(f *composeFile) error {
	docs, known := p.parsed[f.path]
	if !known {
		data, err := p.options.Read(f.path)
		if err != nil {
			return fmt.Errorf("reading %q: %w", f.path, err)
		}
		if docs, err = documents(f.path, data); err != nil {
			return err
		}
		p.parsed[f.path] = docs
	}
	f.docs = docs
	return nil
}

// copied returns the file with a copy, which is written once for each folder and environment in which it is named.
func (p *project) copied(f *composeFile) (*composeFile, error) {
	if known := p.files[f.key()]; known != nil {
		return known, nil
	}
	if err := p.rewrite(f); err != nil {
		return nil, err
	}
	return f, p.keep(f)
}

// keep writes the copy of a file, if compose-go will open any.
func (p *project) keep(f *composeFile) (err error) {
	if p.tmp == "" && slices.ContainsFunc(p.marks, func(m mark) bool { return m.what != "" }) {
		if p.tmp, err = os.MkdirTemp("", "mtool-compose-"); err != nil {
			return fmt.Errorf("creating a folder for copies of files: %w", err)
		}
	}
	f.copy = filepath.Join(cmp.Or(p.tmp, "/mtool-compose"), fmt.Sprintf("%d.yaml", p.copies))
	p.copies++
	p.files[f.key()] = f
	if p.tmp == "" {
		return nil
	}
	return os.WriteFile(f.copy, f.data, 0o600)
}

// count limits how often files are named, which is how often compose-go copies them.
func (p *project) count() error {
	if p.named++; p.named > maxFiles {
		return fmt.Errorf("more than %d files are named", maxFiles)
	}
	return nil
}
