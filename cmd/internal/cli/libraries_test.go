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

	"mtool/build/advice"
)

// Every kind of advice has a hint.
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

// spoken finds flags of any program and commands of mtool in a text.
type spoken struct {
	flag     *regexp.Regexp
	commands map[string]bool
}

func newSpoken() spoken {
	s := spoken{regexp.MustCompile(`(?:^|[^\w-])(?:--[a-z]|-[a-zA-Z](?:[^\w-]|$))`), map[string]bool{}}
	walk(func(path []string, _ *cobra.Command) { s.commands[path[0]] = true })
	return s
}

func (s spoken) in(text string) bool {
	if strings.HasPrefix(text, "-") && !strings.Contains(text, " ") {
		return false // an argument of another program
	}
	if s.flag.MatchString(text) {
		return true
	}
	for _, m := range regexp.MustCompile(`\bmtool ([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		if s.commands[m[1]] {
			return true
		}
	}
	return false
}

// literals returns the strings of a Go file that name a flag or a command.
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

// Libraries name no flags and no commands, since their callers may have no command line. This package adds hints by the
// kind of an error.
func TestLibrariesNameNoFlags(t *testing.T) {
	t.Parallel()
	s := newSpoken()
	for text, want := range map[string]bool{
		"leave --worker out": true, "look at it: mtool workers": true, "--syntax builtin reads it": true,
		"run mtool as an ordinary user": false, "--quiet": false, "docker run --security-opt x": true,
		"usermod --add-subuids 1-2": true, "kubectl get nodes -o json": true, "name it with -f": true, "a file-system": false, "-o": false, "mtool made it": false,
	} {
		if got := len(s.literals(t, "liar.go", "package liar\n\nvar x = "+strconv.Quote(text)+"\n")) > 0; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	exempt := notOurs()
	for _, dir := range []string{"build", "compose", "inspect", "registry"} {
		err := filepath.WalkDir(filepath.Join("..", "..", "..", dir), func(path string, d fs.DirEntry, err error) error {
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

// notOurs returns, by file, parts of strings that name flags of Dockerfiles, shells and compilers.
func notOurs() map[string][]string {
	return map[string][]string{
		"build/lint.go":           {"--target|-march"},          // of compilers
		"build/failure.go":        {" --from="},                 // of COPY
		"build/stephelp.go":       {" --link", " --chown="},     // of COPY
		"inspect/launch/shell.go": {"no command line after -c"}, // of a shell
	}
}
