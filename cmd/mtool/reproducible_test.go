package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mtool/cmd/internal/testparts"
)

// TestReproducible builds one context as an unprivileged user and as the user of this test, such as root. With
// SOURCE_DATE_EPOCH both builds give the same bytes, without it they differ.
func TestReproducible(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Unprivileged)
	user := testparts.NewUser(t)
	mtool := installFor(t, user)
	context, err := crossCompile(t)
	if err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(user.Home, "app")
	for _, file := range []string{"app-amd64", "Dockerfile"} {
		user.Give(t, filepath.Join(context, file), "app")
	}
	for epoch, same := range map[string]bool{"1700000000": true, "": false} {
		args := []string{"build", "--arch", "amd64", "-t", "demo:v1", "--no-cache"}
		if epoch != "" {
			args = append(args, "--source-date-epoch", epoch)
		}
		theirs := digestIn(t, runAs(t, user, mtool, append(args, app)...))
		cmd := exec.CommandContext(t.Context(), mtool, append(args, context)...)
		cmd.Env = append(cmd.Environ(), "MTOOL_HOME="+t.TempDir())
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		if got := digestIn(t, string(out)); (got == theirs) != same {
			t.Errorf("SOURCE_DATE_EPOCH=%s: %s here, %s unprivileged; want the same: %v", epoch, got, theirs, same)
		}
	}
}

func digestIn(t *testing.T, out string) string {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^docker\.io/library/demo@(sha256:[0-9a-f]{64})$`).FindAllStringSubmatch(
		strings.TrimSpace(out), -1)
	if len(lines) != 1 {
		t.Fatalf("%d digests in:\n%s", len(lines), out)
	}
	return lines[0][1]
}
