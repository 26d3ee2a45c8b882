package emulator

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// How a machine runs an architecture.
const (
	Native   = "native"
	Emulated = "emulated"
	Missing  = "missing"
)

// Row is one architecture, and how this machine runs it.
type Row struct {
	Arch string // Go's name
	How  string // Native, Emulated or Missing
	// Emulator is QEMU's name; empty when native.
	Emulator string
	// Found is the binary that builds register for themselves. Without a path, Entry is used.
	Found Found
	// Version is the binary's version: "7.2.22"; empty when it prints none.
	Version string
	// Entry is the host's own registration; zero when none works in containers.
	Entry Entry
	// Err is why it is missing; a *MissingError.
	Err error
}

// Survey returns for every architecture how h runs it: with emulators from dir, then PATH, or with the host's entries.
// It runs each binary that it finds once, for its version.
func Survey(ctx context.Context, h Host, dir string, entries []Entry) []Row {
	rows := make([]Row, 0, len(Architectures()))
	for _, arch := range Architectures() {
		rows = append(rows, survey(ctx, h, arch, dir, entries))
	}
	return rows
}

func survey(ctx context.Context, h Host, arch, dir string, entries []Entry) Row {
	row := Row{Arch: arch, How: Missing}
	how, err := h.Support(v1.Platform{OS: "linux", Architecture: arch})
	switch {
	case err != nil:
		row.Err = err
		return row
	case how.Native:
		row.How = Native
		return row
	}
	row.Emulator = how.Emulator.Name
	row.Entry, _ = Serving(entries, how.Emulator)
	row.Found, row.Err = Find(how.Emulator, dir)
	if row.Err == nil {
		row.Version = Version(ctx, row.Found.Path)
	} else if row.Entry.Name != "" {
		row.Found = Found{Emulator: how.Emulator}
		row.Version, row.Err = Version(ctx, row.Entry.Interpreter), nil
	}
	if row.Err == nil {
		row.How = Emulated
	}
	return row
}

// FindOrHost calls Find and, if that finds nothing but an entry of the host serves, returns a Found without a path.
func FindOrHost(e Emulator, dir string, entries []Entry) (Found, error) {
	f, err := Find(e, dir)
	if _, ok := Serving(entries, e); ok && errors.Is(err, ErrMissing) {
		return Found{Emulator: e}, nil
	}
	return f, err
}

// Version returns the version of a QEMU binary, "7.2.22"; "" when it does not answer as QEMU does within two seconds.
func Version(ctx context.Context, path string) string {
	if path == "" {
		return ""
	}
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return ""
	}
	return versionIn(out)
}

// versionIn parses "qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7)".
func versionIn(out []byte) string {
	line, _, _ := bytes.Cut(out, []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) < 3 || !strings.HasPrefix(words[0], "qemu-") || words[1] != "version" {
		return ""
	}
	return words[2]
}
