// Command module sets the path of this module in go.mod, imports, lint settings, workflows and documents.
//
//	go run ./testdata/module github.com/you/mtool
//
// It needs a clean tree, so that git diff shows its changes and git checkout undoes them. Running it again with the
// same path changes nothing.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] == "" {
		fmt.Fprintln(os.Stderr, "usage: make module MODULE=github.com/you/mtool")
		os.Exit(2)
	}
	switch err := rename(os.Args[1]); {
	case errors.Is(err, errPath):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errPath = errors.New("not a path that others can import")

// check returns an error if no module can be downloaded from path.
func check(path string) error {
	if err := module.CheckPath(path); err != nil {
		return fmt.Errorf("%w: %w", errPath, err)
	}
	_, major, _ := module.SplitPathVersion(path)
	switch words := strings.Split(path, "/"); {
	case major != "":
		return fmt.Errorf("%w: %q: leave out %q until there is a release of that version", errPath, path, major)
	case strings.HasSuffix(path, ".git"):
		return fmt.Errorf("%w: %q: leave out .git", errPath, path)
	case len(words) < 2, words[0] == "github.com" && len(words) != 3:
		return fmt.Errorf("%w: %q names no repository, as github.com/you/mtool does", errPath, path)
	}
	return nil
}

func rename(path string) error {
	if err := check(path); err != nil {
		return err
	}
	body, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	old := modfile.ModulePath(body)
	if old == path {
		fmt.Println("the module is", path, "already")
		return nil
	}
	if dirty, err := git("status", "--porcelain"); err != nil || dirty != "" {
		return errors.Join(err, errors.New("there are changes that are not committed: commit them, so that git can take this one back"))
	}
	files, err := git("ls-files", "-z")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.Trim(files, "\x00"), "\x00") {
		if name == "go.mod" {
			continue
		}
		if err := edit(name, edits(name, old, path)); err != nil {
			return err
		}
	}
	if err := edit("go.mod", edits("go.mod", old, path)); err != nil { // last: it marks the end
		return err
	}
	fmt.Printf("the module is %s now, and was %s: look at git diff, then commit, push, and tag a release\n", path, old)
	return nil
}

func git(args ...string) (string, error) {
	out, err := exec.Command("git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("running git %s: %w", args[0], err)
	}
	return string(out), nil
}

// replacement replaces the matches of a pattern.
type replacement struct {
	pattern *regexp.Regexp
	by      string
}

// edits returns the replacements for a file.
func edits(name, old, path string) []replacement {
	quoted := regexp.QuoteMeta(old)
	// A package of this module, in an import or in a text. "…/.cache/mtool/worker" is not a package.
	all := []replacement{{regexp.MustCompile(`(?m)(^|[^\w./~-])` + quoted + `/(build|cmd|compose|inspect|registry)\b`), "${1}" + path + "/${2}"}}
	switch {
	case name == "go.mod":
		all = append(all, replacement{regexp.MustCompile(`(?m)^module .*`), "module " + path})
	case name == ".golangci.yml":
		all = append(all,
			replacement{regexp.MustCompile(`(module-path: )\S+`), "${1}" + path},
			replacement{regexp.MustCompile(`(local-prefixes: )\[.*\]`), "${1}[" + path + "]"})
	case strings.HasSuffix(name, ".md"):
		all = append(all, replacement{regexp.MustCompile(`\bgithub\.com/you/mtool\b`), path})
	}
	if action, ok := strings.CutPrefix(path, "github.com/"); ok && strings.HasSuffix(name, ".yml") {
		was := `\./mtool( #.*)?`
		if before, ok := strings.CutPrefix(old, "github.com/"); ok {
			was = regexp.QuoteMeta(before) + `@\S+`
		}
		all = append(all, replacement{regexp.MustCompile(`(uses: )` + was), "${1}" + action + "@main"})
	}
	return all
}

func edit(name string, all []replacement) error {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	changed := string(body)
	for _, r := range all {
		changed = r.pattern.ReplaceAllString(changed, r.by)
	}
	if changed == string(body) {
		return nil
	}
	return os.WriteFile(name, []byte(changed), info.Mode().Perm())
}
