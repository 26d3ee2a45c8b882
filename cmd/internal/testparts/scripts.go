package testparts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Scripts lists the scripts of a folder. Where MTOOL_TEST_DONE (a comma list) names parts, those that ask for no others
// are left out: another run has seen to them.
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

// asksForMore reports whether a condition of the script is a part that is not done.
func asksForMore(script string, done []string) bool {
	for _, condition := range regexp.MustCompile(`(?m)^\[!?([a-z0-9]+)\] `).FindAllStringSubmatch(script, -1) {
		if _, part := needs()[Part(condition[1])]; part && !slices.Contains(done, condition[1]) {
			return true
		}
	}
	return false
}
