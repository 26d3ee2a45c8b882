package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// openers are functions that open any kind of file: a pipe blocks them, and a device never ends.
var openers = []string{
	"os.ReadFile", "os.Open", "os.OpenFile", "os.DirFS", "os.CopyFS", "ioutil.ReadFile", "tls.LoadX509KeyPair", "elf.Open",
	"zip.OpenReader", "parser.ParseFile",
}

// ownFiles are the packages and files that open files without registry/regular, with the reason why no other user can
// choose or replace these files.
var ownFiles = map[string]string{
	"registry/regular/":       "the package itself",
	"registry/files.go":       "a directory, opened to be synced",
	"registry/pending.go":     "files that it makes",
	"testdata/module/":        "the clone of whoever runs it",
	"cmd/internal/release/":   "a clone that it makes, the module cache, and its own output",
	"build/emulator/":         "files of the kernel, and programs in PATH after a check that they are regular files",
	"build/snapshot/":         "regular files of the context, opened without following links or waiting, and its memory of them",
	"build/worker/":           "files of the kernel, and the state of the worker, which is closed to others",
	"registry/registrytest/":  "tests only",
	"cmd/internal/testparts/": "tests only",
}

// TestFilesAreOpenedByOneDoor checks that files are opened by registry/regular: regular files of limited size, without
// waiting.
func TestFilesAreOpenedByOneDoor(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	used := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != root {
			return fs.SkipDir
		}
		name, err := filepath.Rel(root, path)
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		found, err := opens(path, nil)
		for _, line := range found {
			if own := ownFile(filepath.ToSlash(name)); own != "" {
				used[own] = true
			} else {
				t.Errorf("%s: use registry/regular, or say in ownFiles why no other user can choose the file", line)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for own := range ownFiles {
		if !used[own] {
			t.Errorf("%s opens nothing: take it out of ownFiles", own)
		}
	}
}

func ownFile(name string) string {
	for own := range ownFiles {
		if strings.HasPrefix(name, own) {
			return own
		}
	}
	return ""
}

// opens lists the lines of a source file that open a file for reading.
func opens(path string, source any) (found []string, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && writes(call) {
			return false
		}
		if s, ok := n.(*ast.SelectorExpr); ok {
			if name := fmt.Sprintf("%v.%s", s.X, s.Sel); slices.Contains(openers, name) {
				found = append(found, fmt.Sprintf("%s: %s", set.Position(s.Pos()), name))
			}
		}
		return true
	})
	return found, nil
}

// writes reports whether a call is os.OpenFile with O_WRONLY.
func writes(call *ast.CallExpr) (only bool) {
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			only = only || ok && s.Sel.Name == "O_WRONLY"
			return true
		})
	}
	return only
}

func TestOpensSeesLiars(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`os.ReadFile("x")`:                             1,
		`read := os.ReadFile; read("x")`:               1,
		`tls.LoadX509KeyPair("x", "y")`:                1,
		`os.OpenFile("x", os.O_RDWR, 0)`:               1,
		`use(os.DirFS("x"))`:                           1,
		`os.OpenFile("x", os.O_WRONLY|os.O_CREATE, 0)`: 0,
		`regular.Read("x", 1)`:                         0,
		`root.Open("x")`:                               0,
	} {
		found, err := opens("x.go", "package p\n\nfunc f() { "+body+" }\n")
		if err != nil || len(found) != want {
			t.Errorf("%s: %q, %v; want %d", body, found, err, want)
		}
	}
}
