package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every command line of mtool help migrating is run by a script.
func TestMigratingIsRun(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("../../../testdata/script/migrating.txtar")
	if err != nil {
		t.Fatal(err)
	}
	registry := regexp.MustCompile(`(^| |:|//)R(/| |$)`)
	for _, tool := range migrating() {
		for _, row := range tool.rows {
			line := registry.ReplaceAllString(row[1], "${1}$$REGISTRY$2")
			if !strings.Contains(string(script), " "+line+"\n") {
				t.Errorf("%s: %q is not in the script", tool.tool, line)
			}
		}
	}
}
