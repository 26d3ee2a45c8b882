package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOtherSystems type-checks the program for systems other than Linux: the code of this module, and the declarations,
// but not the function bodies, of its dependencies. That takes seconds; compiling, which `make release` does, takes
// minutes.
func TestOtherSystems(t *testing.T) {
	t.Parallel()
	systems := []string{"windows/amd64", "darwin/arm64"}
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		systems = append(systems, "windows/arm64", "freebsd/amd64")
	}
	for _, system := range systems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			c := newTypeChecker(t, system)
			for _, err := range c.wrong {
				t.Error(err)
			}
			// Windows has no Rlimit: the liar must not pass there.
			err := c.check("liar", []string{"liar.go"},
				"package liar\n\nimport \"syscall\"\n\nfunc f() { var limit syscall.Rlimit; _ = limit.Cur }\n", true)
			if missing := strings.HasPrefix(system, "windows/"); missing != (err != nil) {
				t.Errorf("a program that uses Rlimit on %s: %v", system, err)
			}
		})
	}
}

// typeChecker holds the types of the program's packages for one system.
type typeChecker struct {
	sizes    types.Sizes
	set      *token.FileSet
	packages map[string]*types.Package
	// renamed maps imports of the package that is checked now: the standard library vendors some modules
	renamed map[string]string
	wrong   []error
}

func newTypeChecker(t *testing.T, system string) *typeChecker {
	t.Helper()
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags=grpcnotrace",
		"-json=ImportPath,Dir,GoFiles,ImportMap,Standard,Module", "./cmd/mtool")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking go list for the packages: %v", err)
	}
	c := &typeChecker{
		sizes: types.SizesFor("gc", goarch), set: token.NewFileSet(),
		packages: map[string]*types.Package{"unsafe": types.Unsafe},
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; { // a package comes after its imports
		var p struct {
			ImportPath, Dir string
			GoFiles         []string
			ImportMap       map[string]string
			Module          *struct{ Main bool }
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return c
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == "unsafe" {
			continue
		}
		for i, name := range p.GoFiles {
			p.GoFiles[i] = filepath.Join(p.Dir, name)
		}
		c.renamed = p.ImportMap
		own := p.Module != nil && p.Module.Main
		if err := c.check(p.ImportPath, p.GoFiles, nil, own); own && err != nil {
			c.wrong = append(c.wrong, err)
		}
	}
}

// Import returns a package that was checked before.
func (c *typeChecker) Import(path string) (*types.Package, error) {
	if other, ok := c.renamed[path]; ok {
		path = other
	}
	if p := c.packages[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s is not among the packages", path)
}

// check checks a package from its files, or from a source.
func (c *typeChecker) check(path string, files []string, source any, bodies bool) error {
	var parsed []*ast.File
	for _, name := range files {
		file, err := parser.ParseFile(c.set, name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, file)
	}
	first := error(nil)
	config := types.Config{
		Importer: c, Sizes: c.sizes, IgnoreFuncBodies: !bodies,
		Error: func(err error) {
			if first == nil {
				first = err
			}
		},
	}
	c.packages[path], _ = config.Check(path, c.set, parsed, nil)
	return first
}
