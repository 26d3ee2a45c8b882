package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// target is a system and an architecture to compile for.
type target struct{ os, arch, variant string }

// all are the targets of a complete release. mtool has a worker of its own only on Linux; elsewhere builds use a remote
// one.
const all = "linux/amd64 linux/arm64 linux/arm/v7 linux/386 linux/riscv64 linux/s390x linux/ppc64le linux/loong64 linux/mips64le " +
	"darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64"

func parseTargets(list string) ([]target, error) {
	var targets []target
	for word := range strings.FieldsSeq(cmp.Or(list, all)) {
		if !slices.Contains(strings.Fields(all), word) {
			return nil, fmt.Errorf("%q is not among the targets: %s", word, all)
		}
		parts := append(strings.Split(word, "/"), "")
		t := target{parts[0], parts[1], parts[2]}
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// targetOf returns what a program was compiled for.
func targetOf(info *buildinfo.BuildInfo) (t target) {
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS":
			t.os = s.Value
		case "GOARCH":
			t.arch = s.Value
		case "GOARM":
			t.variant = "v" + s.Value
		}
	}
	return t
}

// String is the platform's name.
func (t target) String() string { return strings.TrimSuffix(t.os+"/"+t.arch+"/"+t.variant, "/") }

// file returns the target as a part of a file's name.
func (t target) file() string { return t.os + "-" + t.arch + t.variant }

func (t target) program() string {
	if t.os == "windows" {
		return "mtool.exe"
	}
	return "mtool"
}

// env returns the variables that make the go command compile for the target, for its oldest processors. The zero target
// is this machine.
func (t target) env() []string {
	env := []string{
		"CGO_ENABLED=0", "GOEXPERIMENT=", "GOAMD64=v1", "GO386=sse2", "GOARM64=v8.0", "GOPPC64=power8",
		"GORISCV64=rva20u64", "GOMIPS64=hardfloat",
	}
	if t.os != "" {
		env = append(env, "GOOS="+t.os, "GOARCH="+t.arch, "GOARM="+cmp.Or(strings.TrimPrefix(t.variant, "v"), "7"))
	}
	return env
}

// compile builds a command for a target. The go command writes the clone's version into the program; it is checked.
func (r *release) compile(ctx context.Context, t target, path, command string) error {
	_, err := r.output(ctx, t.env(), "go", "build", "-trimpath", "-buildvcs=true", "-tags=grpcnotrace", "-ldflags=-s -w",
		"-o", path, command)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	if info.Main.Version != r.version {
		return fmt.Errorf("the program is version %s, not %s", info.Main.Version, r.version)
	}
	return nil
}

// makeTarget makes the files of a target: archive, list of contents, packages.
func (r *release) makeTarget(ctx context.Context, t target) error {
	began := time.Now()
	m := made{target: t, Binary: filepath.Join(r.tmp, t.file(), t.program())}
	if err := r.compile(ctx, t, m.Binary, "./cmd/mtool"); err != nil {
		return err
	}
	body, err := os.ReadFile(m.Binary)
	if err != nil {
		return err
	}
	m.notices, err = r.notices(ctx, t)
	if err != nil {
		return err
	}
	files := append([]file{{t.program(), 0o755, body}, {"THIRD-PARTY-NOTICES.txt", 0o644, m.notices}}, r.common...)
	base := "mtool-" + r.number + "-" + t.file()
	m.Archive = base + ".tar.gz"
	write := writeTarGz
	if t.os == "windows" {
		m.Archive, write = base+".zip", writeZip
	}
	hash := sha256.New()
	if err := r.write(m.Archive,
		func(w io.Writer) error { return write(io.MultiWriter(w, hash), below(base, files), r.at) }); err != nil {
		return err
	}
	m.Sum = [sha256.Size]byte(hash.Sum(nil))
	sbom, err := programSBOM(m.Binary, r.at)
	if err != nil {
		return err
	}
	if err := r.write(base+".spdx.json", func(w io.Writer) error { return writeJSON(w, sbom) }); err != nil {
		return err
	}
	r.made = append(r.made, m)
	if r.packages && t.os == "linux" {
		err = r.pack(ctx, m, files)
	}
	fmt.Fprintf(os.Stderr, "%s: made in %s\n", t, time.Since(began).Round(time.Second))
	return err
}

// below puts files into a folder.
func below(dir string, files []file) []file {
	moved := slices.Clone(files)
	for i := range moved {
		moved[i].name = dir + "/" + moved[i].name
	}
	return moved
}

// write writes a file of the release.
func (r *release) write(name string, fill func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(r.dist, name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := fill(f); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	r.names = append(r.names, name)
	return f.Close()
}

// sumsFile has the sums of all files of a release, and is written last.
const sumsFile = "SHA256SUMS"

// writeSums writes the sums of all files, as sha256sum does.
func (r *release) writeSums() error {
	slices.Sort(r.names)
	return r.write(sumsFile, func(w io.Writer) error {
		for _, name := range r.names {
			body, err := os.Open(filepath.Join(r.dist, name))
			if err != nil {
				return err
			}
			hash := sha256.New()
			_, err = io.Copy(hash, body)
			body.Close()
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%x  %s\n", hash.Sum(nil), name)
		}
		return nil
	})
}
