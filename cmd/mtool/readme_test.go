package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mtool/cmd/internal/cli"
	"mtool/cmd/internal/testparts"
)

// TestReadme runs every command of the README, in its order, and looks for each line that the README shows of its output.
func TestReadme(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.QEMU, testparts.Registry)
	text := readme(t)
	host := testparts.StartRegistry(t, testparts.RegistryOptions{}).Host
	dir := t.TempDir()
	context, err := crossCompile(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, ".bin"), 0o755), os.Rename(context, filepath.Join(dir, ".bin", "app"))); err != nil {
		t.Fatal(err)
	}
	env := append(slices.Clone(testparts.Env(t)), "MTOOL_HOME="+filepath.Join(dir, "home"))
	for _, e := range examples(strings.ReplaceAll(text, "127.0.0.1:5000", host)) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", e.command)
		cmd.Dir, cmd.Env = dir, env
		out, _ := cmd.CombinedOutput() // an example of a failure fails
		if missing := e.missing(string(out)); missing != "" {
			t.Errorf("$ %s\ndoes not print %q:\n%s", e.command, missing, out)
		}
	}
}

// example is a command that the README shows, and the lines it shows of the output.
type example struct {
	command string
	lines   []string
}

func examples(text string) (all []example) {
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.SplitSeq(strings.TrimSpace(block[1]), "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, example{command: command})
				continue
			}
			last := &all[len(all)-1]
			last.lines = append(last.lines, line)
		}
	}
	return all
}

// missing is the first line that is shown but not printed, in this order.
func (e example) missing(out string) string {
	printed := strings.Split(out, "\n")
	for _, line := range e.lines {
		i := slices.IndexFunc(printed, func(p string) bool { return strings.HasPrefix(plain(p), plain(line)) })
		if i < 0 {
			return line
		}
		printed = printed[i+1:]
	}
	return ""
}

var varying = regexp.MustCompile(`sha256:[0-9a-f]*…?|\d{4}-\d\d-\d\d|[0-9.]+ [kM]?B|[0-9.]+m?s |^#\d+ [0-9.]+|\s+`)

// plain takes out what differs from run to run: digests, sizes, times, and the width of columns.
func plain(line string) string { return strings.TrimSpace(varying.ReplaceAllString(line, " ")) }

// A README that shows what is not printed, or in another order, is found out.
func TestReadmeLiar(t *testing.T) {
	t.Parallel()
	e := examples("```console\n$ x\na sha256:12…\nb\n```\n")[0]
	for out, want := range map[string]string{
		"a sha256:34ff\nother\nb\n": "",
		"b\na sha256:34ff\n":        "b",
		"a sha256:34ff\n":           "b",
	} {
		if got := e.missing(out); got != want {
			t.Errorf("missing(%q) = %q, want %q", out, got, want)
		}
	}
}

// TestReadmeExitCodes holds the README's table against the program's.
func TestReadmeExitCodes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := cli.Run(t.Context(), []string{"help", "exit-codes"}, cli.Stdio{Out: &out, Err: os.Stderr}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	text := readme(t)
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		code, means, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if row := fmt.Sprintf("| %s | %s |\n", code, means); !strings.Contains(text, row) {
			t.Errorf("README.md does not have %q", row)
		}
	}
}

// TestReadmeIsShort keeps the first page one that is read: longer texts are topics of mtool help, and package documentation.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	if lines := strings.Count(readme(t), "\n"); lines > 200 {
		t.Errorf("README.md has %d lines, want at most 200", lines)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	return document(t, "README.md")
}
