package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/build/advice"
)

// Every kind of advice has a hint, with as many verbs as it has words.
func TestAdviceHints(t *testing.T) {
	t.Parallel()
	for _, k := range advice.Kinds() {
		if adviceHints()[k] == "" {
			t.Errorf("advice %d has no hint", k)
		}
	}
	for want, a := range map[string]advice.Advice{
		"--secret id=token,src=FILE":                                advice.Of(advice.GiveSecret, "token"),
		"run it elsewhere, or use another worker: --worker ADDRESS": advice.Say("run it elsewhere").Or(advice.OtherWorker),
		"install the package runc":                                  advice.Say("install the package runc"),
		"":                                                          {},
	} {
		if got := adviceHint(a); got != want {
			t.Errorf("%v: got %q, want %q", a, got, want)
		}
	}
}

// spoken finds the flags and the commands of ours that a text names.
type spoken struct{ flags, commands map[string]bool }

func newSpoken() spoken {
	s := spoken{map[string]bool{}, map[string]bool{}}
	walk(func(path []string, cmd *cobra.Command) {
		s.commands[path[0]] = true
		each := func(f *pflag.Flag) { s.flags[f.Name] = true }
		cmd.Flags().VisitAll(each)
		cmd.InheritedFlags().VisitAll(each)
	})
	return s
}

func (s spoken) in(text string) bool {
	if strings.HasPrefix(text, "-") && !strings.Contains(text, " ") {
		return false // an argument of another program
	}
	for _, m := range regexp.MustCompile(`(?:^|[^\w-])--([a-z][a-z-]*)`).FindAllStringSubmatch(text, -1) {
		if s.flags[m[1]] {
			return true
		}
	}
	for _, m := range regexp.MustCompile(`\bmtool ([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		if s.commands[m[1]] {
			return true
		}
	}
	return false
}

// literals returns the strings of a Go file that name a flag or a command, but for other programs' and Dockerfiles' own
// flags.
func (s spoken) literals(t *testing.T, path string, source any) (found []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil && s.in(text) {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

// TestLibrariesNameNoFlags: who calls a library has no command line. What to type is said in this package, by the kind
// of an error.
func TestLibrariesNameNoFlags(t *testing.T) {
	t.Parallel()
	s := newSpoken()
	for text, want := range map[string]bool{
		"leave --worker out": true, "look at it: mtool workers": true, "--syntax builtin reads it": true,
		"run mtool as an ordinary user": false, "--quiet": false, "docker run --security-opt x": false,
		"mtool made it": false,
	} {
		if got := len(s.literals(t, "liar.go", "package liar\n\nvar x = "+strconv.Quote(text)+"\n")) > 0; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	exempt := notOurs()
	for _, room := range []string{"build", "inspect", "registry"} { // compose has hints of its own yet
		err := filepath.WalkDir(filepath.Join("..", "..", "..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(filepath.Join("..", "..", ".."), path)
			for _, text := range s.literals(t, path, nil) {
				if !slices.ContainsFunc(exempt[filepath.ToSlash(name)],
					func(part string) bool { return strings.Contains(text, part) }) {
					t.Errorf("%s names a flag or a command: %q", name, text)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// notOurs are parts of strings, by file, that only look like a flag or a command of ours, or that mtool help prints as
// they are: the rules for foreign files.
func notOurs() map[string][]string {
	return map[string][]string{
		"build/lint.go":          {"--target|-march"}, // of compilers
		"build/missingfile.go":   {" --from="},        // of COPY
		"inspect/deep/rules.go":  {"unless --strict", "--allow-foreign"},
		"inspect/deep/needed.go": {"unless --strict"},
	}
}
