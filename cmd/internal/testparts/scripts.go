package testparts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Scripts lists the scripts of a directory. If MTOOL_TEST_DONE (a comma-separated list) names parts, it leaves out the
// scripts that need no other part, since another run has run them.
func Scripts(dir string) (scripts []string, err error) {
	all, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	done := os.Getenv("MTOOL_TEST_DONE")
	if err != nil || done == "" {
		return all, err
	}
	for _, path := range all {
		script, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if asksForMore(string(script), strings.Split(done, ",")) {
			scripts = append(scripts, path)
		}
	}
	return scripts, nil
}

// asksForMore reports whether a condition of the script names a part that is not in done.
func asksForMore(script string, done []string) bool {
	for _, condition := range regexp.MustCompile(`(?m)^\[!?([a-z0-9]+)\] `).FindAllStringSubmatch(script, -1) {
		if _, part := needs()[Part(condition[1])]; part && !slices.Contains(done, condition[1]) {
			return true
		}
	}
	return false
}
