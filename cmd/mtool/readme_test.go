package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mtool/cmd/internal/cli"
	"mtool/cmd/internal/testparts"
)

// TestReadme runs every command of the README in order, and checks that it prints the lines that the README shows. The
// registry of the README runs on another port.
func TestReadme(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.QEMU)
	dir, host := t.TempDir(), freeAddress(t)
	if err := os.CopyFS(filepath.Join(dir, "testdata", "hello"), os.DirFS("../../testdata/hello")); err != nil {
		t.Fatal(err)
	}
	env := append(slices.Clone(testparts.Env(t)), "MTOOL_HOME="+filepath.Join(dir, "home"))
	text := strings.ReplaceAll(readme(t), "mtool serve --writable", "mtool serve --writable --listen 127.0.0.1:5000")
	for _, e := range examples(strings.ReplaceAll(text, "127.0.0.1:5000", host)) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", e.command)
		cmd.Dir, cmd.Env = dir, env
		run := (*exec.Cmd).CombinedOutput // some examples fail
		if server, ok := strings.CutSuffix(e.command, " &"); ok {
			cmd.Args[2] = "exec " + server
			run = func(cmd *exec.Cmd) ([]byte, error) { return startServer(t, cmd) }
		}
		out, err := run(cmd)
		if missing := e.missing(string(out)); missing != "" {
			t.Errorf("$ %s\ndoes not print %q:\n%s", e.command, missing, out)
		}
		if code := cmd.ProcessState.ExitCode(); e.code > 0 && code != e.code {
			t.Errorf("$ %s\n%v, want exit code %d", e.command, err, e.code)
		}
	}
}

// freeAddress returns a free address of this machine.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startServer starts a program that prints a line when it is ready, and runs it until the test ends.
func startServer(t *testing.T, cmd *exec.Cmd) ([]byte, error) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	return bufio.NewReader(out).ReadBytes('\n')
}

// example is a command in the README, with the lines of output below it.
type example struct {
	command string
	code    int // the exit code that the README states; 0: none
	lines   []string
}

func examples(text string) (all []example) {
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.SplitSeq(strings.TrimSpace(block[1]), "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				command, comment, _ := strings.Cut(command, "  # ")
				e := example{command: strings.TrimSpace(command)}
				if _, code, ok := strings.Cut(comment, "exit code "); ok {
					e.code, _ = strconv.Atoi(code)
				}
				all = append(all, e)
				continue
			}
			last := &all[len(all)-1]
			last.lines = append(last.lines, line)
		}
	}
	return all
}

// missing returns the first line of the README that the command does not print in this order.
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

var varying = regexp.MustCompile(
	`[✓✗] |sha256:[0-9a-f]*…?|\d{4}-\d\d-\d\d|[0-9.]+ [kM]?B|[0-9.]+m?s |^#\d+ [0-9.]+|\s+`)

// plain removes what differs between runs or on terminals: digests, sizes, times, widths, symbols.
func plain(line string) string {
	return strings.Join(strings.Fields(varying.ReplaceAllString(line, " ")), " ")
}

// TestReadmeLiar checks that lines that are not printed, or in another order, are found.
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

// TestReadmeExitCodes compares the README's table with mtool help exit-codes.
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

// TestReadmeIsShort limits the length of the README. Longer texts belong in topics of mtool help and in package
// documentation.
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

// TestHello checks that the example's programs are those that hello.go writes.
func TestHello(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const source = "../../testdata/hello"
	if out, err := exec.CommandContext(t.Context(), "go", "run", source, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	programs, err := filepath.Glob(filepath.Join(dir, "hello-*"))
	if err != nil || len(programs) < 4 {
		t.Fatalf("%q, %v", programs, err)
	}
	for _, program := range programs {
		want, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(source, filepath.Base(program)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from what hello.go writes: %v", filepath.Base(program), err)
		}
	}
}
