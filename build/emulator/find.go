package emulator

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrMissing is an emulator without a static binary.
var ErrMissing = errors.New("emulator not found")

// MissingError lists where an emulator was looked for.
type MissingError struct {
	Emulator Emulator
	Dirs     []string
	Rejected []string // one line for each binary that exists and can't be used
}

func (e *MissingError) Error() string {
	s := fmt.Sprintf("finding emulator %q: %v in %s", "qemu-"+e.Emulator.Name+"-static", ErrMissing,
		strings.Join(e.Dirs, ":"))
	if len(e.Rejected) > 0 {
		s += " (" + strings.Join(e.Rejected, "; ") + ")"
	}
	return s
}

func (e *MissingError) Unwrap() error { return ErrMissing }

// Package returns the package in which distributions have the static emulator; "" for Sunway's, which only its vendor's
// QEMU has.
func (e Emulator) Package() string {
	if e.Arch == "sw64" {
		return ""
	}
	return "qemu-user-static"
}

// Hint names the package to install, and how to do without one.
func (e *MissingError) Hint() string {
	put := fmt.Sprintf("put a static qemu-%s into %s", e.Emulator.Name, e.Dirs[0])
	if e.Emulator.Package() == "" {
		return put + ": it is built of the vendor's QEMU, and in no distribution's package"
	}
	return fmt.Sprintf("install the package %s, or %s", e.Emulator.Package(), put)
}

// Find looks for e in dir, then in the directories of PATH, and returns the first binary that is static and for this
// machine: inside a container a dynamic one would find no libraries. The error is a *MissingError.
func Find(e Emulator, dir string) (Found, error) {
	missing := &MissingError{Emulator: e, Dirs: append([]string{dir}, filepath.SplitList(os.Getenv("PATH"))...)}
	for _, d := range missing.Dirs {
		for _, name := range []string{"qemu-" + e.Name + "-static", "qemu-" + e.Name} {
			path, err := usable(filepath.Join(d, name))
			switch {
			case err == nil:
				return Found{Emulator: e, Path: path}, nil
			case !errors.Is(err, os.ErrNotExist):
				missing.Rejected = append(missing.Rejected, err.Error())
			}
		}
	}
	return Found{}, missing
}

// usable returns the absolute path of a static program for this machine.
func usable(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	if _, err := exec.LookPath(path); err != nil { // executable by this user, and not on a noexec file system
		return "", fmt.Errorf("%s is not executable", path)
	}
	f, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s is not a program: %w", path, err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	if own := emulators()[runtime.GOARCH]; !own.Matches(head(path)) {
		return "", fmt.Errorf("%s is a program for %v", path, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is not static", path)
		}
	}
	return path, nil
}

func head(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, 64)
	n, _ := f.Read(b)
	return b[:n]
}
