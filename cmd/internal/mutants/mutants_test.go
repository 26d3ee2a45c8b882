package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mutant is a change of one file that a test must notice.
type mutant struct {
	file string
	// the test that must fail: a function or a script, with the package in front if several packages have it
	killer string
	was    string // occurs once in the file
	now    string
}

func (m mutant) name() string { return m.file + ": " + m.was }

// group is a named set of mutants, for go test -run TestMutants/NAME.
type group struct {
	name    string
	mutants []mutant
}

func groups() []group {
	return []group{
		{"registry", ofRegistry()},
		{"content", ofContent()},
		{"inspect", ofInspect()},
		{"filesystems", ofFileSystems()},
		{"build", ofBuild()},
		{"commands", ofCommands()},
		{"program", ofProgram()},
	}
}

func mutants() (all []mutant) {
	for _, g := range groups() {
		all = append(all, g.mutants...)
	}
	return all
}

// root is the directory of the module.
const root = "../../.."

// mutated returns the file's absolute path and its changed text.
func (m mutant) mutated(t *testing.T) (path, text string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(body), m.was); n != 1 || m.was == m.now {
		t.Fatalf("the text occurs %d times in the file and becomes %q", n, m.now)
	}
	return path, strings.Replace(string(body), m.was, m.now, 1)
}

// TestMutantsFit checks each mutant without running it: its text occurs once, the result compiles, and its test exists.
func TestMutantsFit(t *testing.T) {
	t.Parallel()
	tests, types := allTests(t), newChecker(t)
	all := mutants()
	if len(all) < 100 {
		t.Errorf("only %d mutants", len(all))
	}
	for _, m := range all {
		t.Run(m.name(), func(t *testing.T) {
			if err := types.check(m.mutated(t)); err != nil {
				t.Error(err)
			}
			if _, err := tests.find(m); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMutants makes each change and runs its test, which must fail. Without a change all of these tests pass.
func TestMutants(t *testing.T) {
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("builds tests anew for each mutant: make long")
	}
	tests := allTests(t)
	runs := map[string][]string{} // the tests by package
	for _, m := range mutants() {
		at, err := tests.find(m)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(runs[at.dir], at.run) {
			runs[at.dir] = append(runs[at.dir], at.run)
		}
	}
	t.Run("no change", func(t *testing.T) {
		for dir, tests := range runs {
			for _, run := range tests {
				t.Run(dir+" "+run, func(t *testing.T) {
					t.Parallel()
					if out, err := goTest(t, target{dir, run}); err != nil {
						t.Errorf("%v\n%s", err, out)
					}
				})
			}
		}
	})
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			for _, m := range g.mutants {
				t.Run(m.name(), func(t *testing.T) {
					t.Parallel()
					m.mustDie(t, tests)
				})
			}
		})
	}
}

// mustDie runs the mutant's test with the change, which only the compiler sees (-overlay).
func (m mutant) mustDie(t *testing.T, tests known) {
	t.Helper()
	at, err := tests.find(m)
	if err != nil {
		t.Fatal(err)
	}
	path, text := m.mutated(t)
	changed, overlay := filepath.Join(t.TempDir(), "mutant.go"), filepath.Join(t.TempDir(), "overlay.json")
	rules, _ := json.Marshal(map[string]map[string]string{"Replace": {path: changed}}) // text is always written
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, rules, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := goTest(t, at, "-overlay="+overlay)
	if err == nil || !strings.Contains(out, "--- FAIL: "+at.name()) {
		t.Errorf("%s passes with the change: %v\n%.4000s", m.killer, err, out)
		return
	}
	t.Logf("%s fails, as it must", m.killer)
}

// goTest runs one test of the module.
func goTest(t *testing.T, at target, flags ...string) (string, error) {
	t.Helper()
	args := append([]string{"test", "-vet=off", "-count=1", "-timeout=30m", "-run=" + at.run}, flags...)
	cmd := exec.CommandContext(t.Context(), "go", append(args, "./"+at.dir)...)
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(),
		func(pair string) bool { return strings.HasPrefix(pair, "MTOOL_TEST_FULL=") })
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// target is a package and the -run pattern of one of its tests.
type target struct{ dir, run string }

// name returns the test's name as go test prints it.
func (p target) name() string { return strings.NewReplacer("^", "", "$", "").Replace(p.run) }

// known maps the name of a test to the packages that have it.
type known map[string][]target

// find returns the mutant's test. If several packages have one of that name, the mutant's own package wins.
func (k known) find(m mutant) (target, error) {
	dir, name, named := strings.Cut(m.killer, ".")
	if !named || strings.HasSuffix(m.killer, ".txtar") {
		dir, name = filepath.Dir(m.file), m.killer
	}
	found := k[name]
	if i := slices.IndexFunc(found, func(p target) bool { return p.dir == dir }); i >= 0 {
		return found[i], nil
	}
	if len(found) != 1 {
		return target{}, fmt.Errorf("%d packages have %q", len(found), name)
	}
	return found[0], nil
}

var definedTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)

func allTests(t *testing.T) known {
	t.Helper()
	k := known{}
	for _, pattern := range []string{"*/*_test.go", "*/*/*_test.go", "*/*/*/*_test.go", "*/*/*/*/*_test.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, _ := filepath.Rel(root, filepath.Dir(file)) // both are relative
			for _, m := range definedTest.FindAllStringSubmatch(string(body), -1) {
				k[m[1]] = append(k[m[1]], target{dir, "^" + m[1] + "$"})
			}
		}
	}
	for folder, test := range map[string]string{
		"script": "TestScript", "integration": "TestIntegration",
		"integration/rootless": "TestRootless",
	} {
		scripts, err := filepath.Glob(filepath.Join(root, "testdata", folder, "*.txtar"))
		if err != nil || len(scripts) == 0 {
			t.Fatalf("no scripts in %q: %v", folder, err)
		}
		for _, script := range scripts {
			name := filepath.Base(script)
			k[name] = append(k[name], target{"cmd/mtool", "^" + test + "$/^" + strings.TrimSuffix(name, ".txtar") + "$"})
		}
	}
	return k
}
