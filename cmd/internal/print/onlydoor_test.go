package print

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Everything that a command prints goes through Out and printf.
func TestOnlyDoor(t *testing.T) {
	t.Parallel()
	count := 0
	for _, dir := range []string{"print", "cli", "app"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			count++
			for _, found := range pastDoor(t, filepath.Base(file), string(body)) {
				t.Errorf("%s: %s", file, found)
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d files were read", count)
	}
	liars := []string{
		`fmt.Println("x")`, `fmt.Fprintf(w, "%s", x)`, `fmt.Fprint(w, x)`, `io.WriteString(w, x)`, `w.Write([]byte(x))`,
		`os.Stdout.WriteString(x)`, `os.Stderr.Close()`, `println(x)`,
		`printf(w, x)`, `printf(w, "a"+x)`, `markdownf(w, x)`, `print.Text(w, x())`, `json.NewEncoder(w).Encode(x)`,
		`io.Copy(w, x)`, `log.Print(x)`, `template.New(x).Execute(w, x)`,
	}
	for _, liar := range liars {
		if len(pastDoor(t, "liar.go", "package x\nfunc f() {\n"+liar+"\n}\n")) == 0 {
			t.Errorf("%s is not found", liar)
		}
	}
}

// mayPass returns the functions that a file may call to write without escaping.
func mayPass(file string) []string {
	return map[string][]string{
		"door.go":        {"io.WriteString", "Write"},                          // Out itself
		"values.go":      {"fmt.Fprintf", "io.WriteString", "json.NewEncoder"}, // the escapes
		"markdown.go":    {"fmt.Fprintf"},
		"template.go":    {"Execute"},                           // into a buffer
		"dropin.go":      {"Execute", "Text"},                   // the template escapes its values
		"page.go":        {"Execute"},                           // html/template escapes
		"table.go":       {"io.WriteString"},                    // cells are escaped
		"github.go":      {"Text"},                              // escapes itself
		"login.go":       {"Text"},                              // a prompt, without a newline
		"deep.go":        {"Text"},                              // the program's own table
		"inspect.go":     {"Write"},                             // exact bytes
		"imagetools.go":  {"Write"},                             // exact bytes
		"buildresult.go": {"io.WriteString", "json.NewEncoder"}, // files
		"ci.go":          {"io.WriteString"},                    // a file
	}[file]
}

// pastDoor lists the calls in a file that could print a string without escaping it.
func pastDoor(t *testing.T, name, body string) (found []string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, body, 0)
	if err != nil {
		t.Fatal(err)
	}
	report := func(n ast.Node, call string) {
		if !slices.Contains(mayPass(name), call) {
			found = append(found, fset.Position(n.Pos()).String()+": "+call)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			switch full := names(n); full {
			case "os.Stdout", "os.Stderr", "io.WriteString", "io.Copy", "json.NewEncoder", "fmt.Print", "fmt.Printf",
				"fmt.Println", "fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln":
				report(n, full)
			}
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "log" {
				report(n, "log")
			}
			if n.Sel.Name == "Write" || n.Sel.Name == "Execute" {
				report(n, n.Sel.Name)
			}
		case *ast.CallExpr:
			switch full := names(n.Fun); full {
			case "print", "println":
				report(n, full)
			case "printf", "markdownf":
				if lit, ok := n.Args[1].(*ast.BasicLit); !ok || lit.Kind != token.STRING {
					report(n, full+" with a format that is no literal")
				}
			case "Text", "print.Text":
				if !isOwn(n.Args[1]) {
					report(n, "Text")
				}
			}
		}
		return true
	})
	return found
}

func names(n ast.Expr) string {
	switch n := n.(type) {
	case *ast.Ident:
		return n.Name
	case *ast.SelectorExpr:
		return names(n.X) + "." + n.Sel.Name
	}
	return ""
}

// isOwn reports whether an argument of Text looks like a constant, an encoded JSON document or a buffer of escaped
// text.
func isOwn(n ast.Expr) bool {
	switch n := n.(type) {
	case *ast.BasicLit, *ast.Ident, *ast.SelectorExpr:
		return true
	case *ast.BinaryExpr:
		return isOwn(n.X) && isOwn(n.Y)
	case *ast.CallExpr:
		switch names(n.Fun) {
		case "string", "b.String":
			return true
		case "strings.TrimSuffix":
			return isOwn(n.Args[0])
		}
	}
	return false
}
