package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents|unlicense)`)

// notices returns the licences of everything that the program for a target links: those in the folders of the packages
// and above them, up to the module's. A module without a licence is an error.
func (r *release) notices(ctx context.Context, t target) ([]byte, error) {
	const each = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}"
	list, err := r.output(ctx, t.env(), "go", "list", "-deps", "-tags=grpcnotrace", "-f", each, "./cmd/mtool")
	if err != nil {
		return nil, err
	}
	root, err := r.output(ctx, nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	found := map[string][]string{"Go and its standard library": {filepath.Join(root, "LICENSE")}}
	for line := range strings.Lines(list) {
		part := strings.Split(strings.TrimSpace(line), "\t")
		if len(part) != 3 { // of the standard library, or ours
			continue
		}
		for dir := part[2]; strings.HasPrefix(dir, part[1]); dir = filepath.Dir(dir) {
			files, err := licencesIn(dir)
			if err != nil {
				return nil, err
			}
			found[part[0]] = append(found[part[0]], files...)
		}
	}
	return printNotices(found)
}

func licencesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var files []string
	for _, e := range entries {
		if e.Type().IsRegular() && licence.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, err
}

// printNotices prints the files of each module once, modules sorted by name.
func printNotices(found map[string][]string) ([]byte, error) {
	var b bytes.Buffer
	var errs []error
	b.WriteString("mtool contains the following software, each under its own licence.\n")
	for _, module := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(&b, "\n%s\n%s\n", strings.Repeat("=", 80), module)
		files := slices.Compact(slices.Sorted(slices.Values(found[module])))
		if len(files) == 0 {
			errs = append(errs, fmt.Errorf("%s has no licence", module))
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			errs = append(errs, err)
			fmt.Fprintf(&b, "\n--- %s\n\n%s\n", filepath.Base(name), bytes.TrimSpace(text))
		}
	}
	return b.Bytes(), errors.Join(errs...)
}
