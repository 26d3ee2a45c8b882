package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/cmd/internal/testparts"
)

// TestRootless runs the scripts that need an unprivileged user: "as-user COMMAND…" runs a command as that user.
func TestRootless(t *testing.T) {
	testparts.Need(t, testparts.Unprivileged)
	user := testparts.NewUser(t)
	mtool := installFor(t, user)
	parts := &sharedParts{t: t}
	cmds := scriptCommands()
	maps.Copy(cmds, parts.commands())
	env := testparts.Env(t)
	scripts, err := testparts.Scripts(filepath.Join("..", "..", "testdata", "integration", "rootless"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: scripts,
		Setup: func(e *testscript.Env) error {
			for _, kv := range env {
				key, value, _ := strings.Cut(kv, "=")
				e.Setenv(key, value)
			}
			return errors.Join(scriptSetup(e), ownHome(e), asUser(e, user, mtool))
		},
		Condition:           func(part string) (bool, error) { return testparts.Available(testparts.Part(part)) },
		Cmds:                cmds,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
	})
}

// asUser gives the user access to the script's directory and puts the command as-user into PATH.
func asUser(e *testscript.Env, user *testparts.User, mtool string) error {
	bin := filepath.Join(e.WorkDir, "bin")
	command := user.Command(background(), "sh")
	change := ""
	if c := command.SysProcAttr.Credential; c != nil {
		change = fmt.Sprintf("setpriv --reuid %d --regid %d --clear-groups ", c.Uid, c.Gid)
	}
	script := fmt.Sprintf(
		"#!/bin/sh\nunset XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME DOCKER_CONFIG TMPDIR\n"+
			"HOME=%[1]s MTOOL_HOME=%[1]s/m PATH=%[2]s:$PATH exec %[3]s\"$@\"\n", user.Home, filepath.Dir(mtool), change)
	e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
	return errors.Join(
		os.Chmod(filepath.Dir(e.WorkDir), 0o755), os.Chmod(e.WorkDir, 0o777),
		os.MkdirAll(bin, 0o755), os.WriteFile(filepath.Join(bin, "as-user"), []byte(script), 0o755))
}
