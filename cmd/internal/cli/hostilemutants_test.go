package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostileMutants opens the door of the output in one place after the other: TestHostile must fail each time.
func TestHostileMutants(t *testing.T) {
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("builds the program anew for each mutant: make long")
	}
	mutants := []struct{ file, was, becomes string }{
		{"door.go", "case r != '\\t' && steers(r), l.isCommand(r)", "case false && steers(r), l.isCommand(r)"},
		{"door.go", "command := r == ':' && l.colon || r == '[' && l.hashes >= 2", "command := r == '[' && l.hashes >= 2"},
		{"door.go", "command := r == ':' && l.colon || r == '[' && l.hashes >= 2", "command := r == ':' && l.colon"},
		{"values.go", "if strings.IndexFunc(s, ", "if true || strings.IndexFunc(s, "},
		{"markdown.go", ".Replace(Line(s))", ".Replace(s)"},
		{"template.go", "text := Line(fmt.Sprint(pointedTo(value)))", "text := fmt.Sprint(pointedTo(value))"},
		{"template.go", "if len(n.Pipe.Decl) == 0 && !constant(n.Pipe) {", "if false {"},
		{"github.go", `"%", "%25", "\r", "%0D", "\n", "%0A"`, `"%", "%25"`},
	}
	for _, m := range mutants {
		t.Run(m.file+" "+m.was, func(t *testing.T) {
			path, err := filepath.Abs(filepath.Join("..", "print", m.file))
			if err != nil {
				t.Fatal(err)
			}
			body, err := os.ReadFile(path)
			if err != nil || strings.Count(string(body), m.was) != 1 {
				t.Fatalf("%q is not there once: %v", m.was, err)
			}
			changed, overlay := filepath.Join(t.TempDir(), "mutant.go"), filepath.Join(t.TempDir(), "overlay.json")
			rules, _ := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
			if err := os.WriteFile(changed, []byte(strings.Replace(string(body), m.was, m.becomes, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, rules, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-overlay="+overlay, "-run", "^TestHostile$", ".").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestHostile") {
				t.Errorf("it lives: %v\n%.2000s", err, out)
			}
		})
	}
}
