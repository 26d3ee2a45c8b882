package mutants

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// checker type-checks a package with one changed file.
type checker struct {
	fset     *token.FileSet
	importer types.Importer
	byDir    map[string]listed
}

// listed is a package as go list prints it.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps",
		"-json=ImportPath,Dir,Export,GoFiles", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{fset: token.NewFileSet(), byDir: map[string]listed{}}
	exports := map[string]string{}
	for d := json.NewDecoder(out); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		c.byDir[p.Dir], exports[p.ImportPath] = p, p.Export
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	c.importer = importer.ForCompiler(c.fset, "gc",
		func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return c
}

// check type-checks the package of the file at path with this text in place of the file.
func (c *checker) check(path, text string) (err error) {
	p := c.byDir[filepath.Dir(path)]
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, src := filepath.Join(p.Dir, name), any(nil)
		if file == path {
			src = text
		}
		parsed, err := parser.ParseFile(c.fset, file, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, parsed)
	}
	conf := types.Config{Importer: c.importer}
	_, err = conf.Check(p.ImportPath, c.fset, files, nil)
	return err
}
