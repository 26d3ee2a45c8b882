package worker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnfit(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]string{
		"runc version 1.1.5+ds1\ncommit: x\n": "",
		"runc version 1.1.0\n":                "",
		"runc version 1.3.0-rc.1\n":           "",
		"runc version 1.0.0-rc93\n":           "too old",
		"runc version 1.0.3\n":                "too old",
		"crun version 1.8.1\ncommit: x\n":     "crun",
		"runc version unknown\n":              "",
		"":                                    "",
	} {
		if got := unfit([]byte(out)); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", out, got, want)
		}
	}
}

func TestOtherRunc(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+text+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("crun", "crun version 1.8.1")
	if _, err := findRunc(); !errors.Is(err, ErrNoWorker) || !strings.Contains(err.Error(), "crun can't take its place") {
		t.Errorf("crun alone: %v", err)
	}
	write("runc", "runc version 1.0.0")
	_, err := Start(t.Context(), Options{StateDir: t.TempDir()})
	if !errors.Is(err, ErrNoWorker) || !strings.Contains(err.Error(), "too old") {
		t.Errorf("an old runc: %v", err)
	}
}

func TestFindRunc(t *testing.T) {
	t.Setenv("PATH", "")
	dir := t.TempDir()
	var w *Error
	if _, err := findRunc(dir); !errors.As(err, &w) || !strings.Contains(w.Hint(), "package runc") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "runc"), []byte("#!"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := findRunc(t.TempDir(), dir); err != nil || got != filepath.Join(dir, "runc") {
		t.Errorf("got %q, %v", got, err)
	}
}
