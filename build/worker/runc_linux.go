//go:build !mips64le

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"mtool/build/advice"
)

// findRunc looks in PATH, then in dirs.
func findRunc(dirs ...string) (string, error) {
	path, err := look("runc", dirs)
	if err == nil {
		return filepath.Abs(path)
	}
	missing := "runc, which runs the steps, is not installed"
	if other, err := look("crun", dirs); err == nil {
		missing += fmt.Sprintf(
			"; %s can't take its place: BuildKit uses options of runc's that crun lacks, Debian 12's for one", other)
	}
	return "", &Error{
		Doing: "starting the worker", Err: errors.New(missing),
		Advice: advice.Say("install the package runc"),
	}
}

func look(program string, dirs []string) (string, error) {
	path, err := exec.LookPath(program)
	for _, dir := range dirs {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, program))
		}
	}
	return path, err
}

// oldestRunc is the first version with everything that BuildKit's executor needs.
const oldestRunc = "v1.1.0"

// checkRunc checks the program's name and version. A program that does not answer passes: the reason may not matter
// to steps.
func checkRunc(ctx context.Context, path string) error {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if why := unfit(out); why != "" {
		return &Error{
			Doing: "starting the worker", Err: fmt.Errorf("%s: %s", path, why),
			Advice: advice.Say("install runc 1.1 or later, and put it first in PATH"),
		}
	}
	return nil
}

// unfit parses "runc version 1.1.5+ds1" and returns why that version does not work.
func unfit(said []byte) string {
	line, _, _ := bytes.Cut(said, []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) < 3 || words[1] != "version" {
		return ""
	}
	if words[0] != "runc" {
		return "this is " + words[0] + ", which lacks options of runc's that BuildKit uses"
	}
	version := "v" + words[2]
	if semver.IsValid(version) && semver.Compare(version, oldestRunc) < 0 {
		return "runc " + words[2] + " is too old"
	}
	return ""
}
