package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

// recipes are templates of files for nfpm, Homebrew, Nix and mtool.
//
//go:embed templates
var recipes embed.FS

// fill executes one of the recipes.
func fill(w io.Writer, name string, data any) error {
	t, err := template.New(name).Funcs(template.FuncMap{
		"hex":    func(sum [32]byte) string { return fmt.Sprintf("%x", sum) },
		"base64": func(sum [32]byte) string { return base64.StdEncoding.EncodeToString(sum[:]) },
	}).ParseFS(recipes, "templates/"+name)
	if err != nil {
		return err
	}
	return t.Execute(w, data)
}

// writeRecipes writes the files with which Homebrew and Nix install the archives, and install.sh with their address.
func (r *release) writeRecipes() error {
	data := map[string]any{
		"Version": r.number, "Home": r.home, "URL": r.url, "Made": r.made,
		// The names of the targets that each of them supports.
		"Homebrew": map[string]string{
			"darwin/amd64": "OS.mac? && Hardware::CPU.intel?", "darwin/arm64": "OS.mac? && Hardware::CPU.arm?",
			"linux/amd64": "OS.linux? && Hardware::CPU.intel?",
			"linux/arm64": "OS.linux? && Hardware::CPU.arm? && Hardware::CPU.is_64_bit?",
		},
		"Nix": map[string]string{
			"darwin/amd64": "x86_64-darwin", "darwin/arm64": "aarch64-darwin", "linux/amd64": "x86_64-linux",
			"linux/arm64":  "aarch64-linux",
			"linux/arm/v7": "armv7l-linux", "linux/386": "i686-linux", "linux/riscv64": "riscv64-linux",
			"linux/s390x":   "s390x-linux",
			"linux/ppc64le": "powerpc64le-linux", "linux/loong64": "loongarch64-linux",
		},
	}
	for file, name := range map[string]string{"mtool.rb": "formula.rb", "mtool.nix": "package.nix"} {
		if err := r.write(file, func(w io.Writer) error { return fill(w, name, data) }); err != nil {
			return err
		}
	}
	installer, err := os.ReadFile(filepath.Join(r.source, "install.sh"))
	if err != nil {
		return err
	}
	addressed := bytes.Replace(installer, []byte("\nreleased=\n"), []byte("\nreleased="+r.url+"\n"), 1)
	return r.write("install.sh", func(w io.Writer) error { _, err := w.Write(addressed); return err })
}

// pack makes deb, rpm and apk.
func (r *release) pack(ctx context.Context, m made, files []file) error {
	dir := filepath.Join(r.tmp, "package-"+m.file())
	if err := lay(dir, files, r.at); err != nil {
		return err
	}
	config := filepath.Join(dir, "nfpm.yaml")
	f, err := os.Create(config)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := fill(f, "nfpm.yaml", map[string]any{
		"Version": r.number, "Home": r.home, "Arch": nfpmArch(m.target), "Date": r.at.Format(time.RFC3339), "Dir": dir,
	}); err != nil {
		return err
	}
	for _, kind := range []string{"deb", "rpm", "apk"} {
		name := "mtool-" + r.number + "-" + m.file() + "." + kind
		_, err := r.output(ctx, []string{fmt.Sprint("SOURCE_DATE_EPOCH=", r.at.Unix())}, "nfpm", "package",
			"--config", config, "--packager", kind, "--target", filepath.Join(r.dist, name))
		if err != nil {
			return err
		}
		r.names = append(r.names, name)
	}
	return nil
}

// nfpmArch returns nfpm's name of the architecture, which nfpm translates for each kind of package.
func nfpmArch(t target) string { return t.arch + map[string]string{"v7": "7"}[t.variant] }

// lay writes files below a folder. Files and folders get the same time.
func lay(dir string, files []file, at time.Time) error {
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.body, os.FileMode(f.mode)); err != nil {
			return err
		}
	}
	// a folder's time is that of its last file
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, at, at) //nolint:gosec // in a folder of our own, without links
	})
}
