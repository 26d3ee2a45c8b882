package binary_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"mtool/inspect/binary"
)

// scripts returns first lines with the kernel's reading of them; interp is "" if it refuses.
func scripts() []struct{ line, interp, arg string } {
	long := strings.Repeat("x", 300)
	return []struct{ line, interp, arg string }{
		{"#!/bin/echo\n", "/bin/echo", ""},
		{"#!/bin/echo", "/bin/echo", ""},
		{"#! /bin/echo\nmore", "/bin/echo", ""},
		{"#!\t \t/bin/echo \t\n", "/bin/echo", ""},
		{"#!/bin/echo -e\n", "/bin/echo", "-e"},
		{"#!/bin/echo one  two \t three\t\n", "/bin/echo", "one  two \t three"},
		{"#!/bin/echo one\x00two\n", "/bin/echo", "one"},
		{"#!/bin/echo\x00 one\n", "/bin/echo", ""},
		{"#!/bin/echo one\r\n", "/bin/echo", "one\r"},
		{"#!/bin/echo " + long + "\n", "/bin/echo", long[:256-len("#!/bin/echo ")-1]},
		{"#!/bin/echo " + long[:243] + "\n", "/bin/echo", long[:243]},
		{"#!/" + long + "\n", "", ""},
		{"#!\n/bin/echo\n", "", ""},
		{"#!  \n", "", ""},
		{"#!", "", ""},
		{"#!" + strings.Repeat(" ", 254) + "/bin/echo\n", "", ""},
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, c := range append(scripts(), struct{ line, interp, arg string }{"#!/bin/sh\r\n", "/bin/sh\r", ""}) {
		f := read(t, []byte(c.line))
		if f.Kind != binary.Script || f.Interp != c.interp || f.InterpArg != c.arg {
			t.Errorf("%q: %#v, want %q %q", c.line, f, c.interp, c.arg)
		}
	}
	for _, text := range []string{"", "#", "# !/bin/sh\n", " #!/bin/sh\n", "\xef\xbb\xbf#!/bin/sh\n"} {
		if f := read(t, []byte(text)); f.Kind != binary.Other || f.Interp != "" {
			t.Errorf("%q: %#v", text, f)
		}
	}
}

// This machine's kernel agrees: it executes the scripts with echo, which prints its arguments.
func TestScriptsAsLinuxReadsThem(t *testing.T) {
	if _, err := os.Stat("/bin/echo"); err != nil || runtime.GOOS != "linux" {
		t.Skip("needs Linux and /bin/echo")
	}
	for i, c := range scripts() {
		path := filepath.Join(t.TempDir(), string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(c.line), 0o700); err != nil {
			t.Fatal(err)
		}
		out, err := run(t, path)
		if c.interp == "" {
			if err == nil || len(out) > 0 {
				t.Errorf("%q: %v, %q", c.line, err, out)
			}
			continue
		}
		arg := c.arg
		if arg == "-e" {
			arg = "" // an option of echo
		}
		want := strings.TrimLeft(arg+" "+path, " ") + "\n"
		if err != nil || string(out) != want {
			t.Errorf("%q: %q, %v, want %q", c.line, out, err, want)
		}
	}
}

// run executes a file. It tries again if another test forked while the file was open for writing.
func run(t *testing.T, path string) ([]byte, error) {
	t.Helper()
	for {
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), path)
		cmd.Stdout = &out
		err := cmd.Run()
		if !errors.Is(err, syscall.ETXTBSY) {
			return out.Bytes(), err
		}
		time.Sleep(time.Millisecond)
	}
}
