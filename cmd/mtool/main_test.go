package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/build/worker"
	"mtool/registry/registrytest"
)

func TestMain(m *testing.M) {
	worker.Main() // scripts run this binary as mtool, and mtool starts itself as its worker
	testscript.Main(m, map[string]func(){"mtool": func() { os.Exit(run()) }, "mtool-measured": measured})
}

// TestScript runs the offline scripts: mtool commands as a user types them, with registries in this process.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		Setup:               func(e *testscript.Env) error { return scriptSetup(e) },
		Cmds:                scriptCommands(),
		Condition:           scriptCondition,
		UpdateScripts:       os.Getenv("MTOOL_UPDATE_SCRIPTS") != "",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
	})
}

// scriptSetup gives a script a home of its own, without logins.
func scriptSetup(e *testscript.Env) error {
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	e.Setenv("MTOOL_HOME", filepath.Join(e.WorkDir, "home", "mtool"))
	e.Setenv("DOCKER_CONFIG", filepath.Join(e.WorkDir, "home", "docker"))
	e.Values[serversKey{}] = &servers{byName: map[string]*registrytest.Server{}}
	e.Values[webKey{}] = &webs{}
	began := time.Now()
	e.Defer(func() {
		tell("%6.1f s  %s", time.Since(began).Seconds(), filepath.Base(e.WorkDir))
		e.Values[serversKey{}].(*servers).close()
		e.Values[webKey{}].(*webs).close()
	})
	return os.MkdirAll(filepath.Join(e.WorkDir, "home"), 0o755)
}

// tell writes a line of progress to the file in MTOOL_TEST_PROGRESS, which the Makefile sets.
func tell(format string, args ...any) {
	f, err := os.OpenFile(os.Getenv("MTOOL_TEST_PROGRESS"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return // not set
	}
	fmt.Fprintf(f, format+"\n", args...)
	f.Close()
}

// scriptCondition reports whether a condition of a script holds. [userns]: this user may create user namespaces.
func scriptCondition(name string) (bool, error) {
	if name != "userns" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").Run()
	if err != nil && os.Getenv("MTOOL_TEST_REQUIRE") != "" {
		return false, fmt.Errorf("making a user namespace, which MTOOL_TEST_REQUIRE's parts need: %w", err)
	}
	return err == nil, nil
}

func background() context.Context { return context.Background() }
