package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/cmd/internal/testparts"
)

// TestIntegration runs the scripts that need real parts: BuildKit under QEMU, registries, Docker Engine and other
// tools. Scripts state what they need in lines like "[!docker] skip 'Docker Engine is missing'". For a missing part
// that MTOOL_TEST_REQUIRE names, the condition is an error instead of false.
func TestIntegration(t *testing.T) {
	t.Parallel()
	parts := &sharedParts{t: t}
	cmds := scriptCommands()
	maps.Copy(cmds, parts.commands())
	env := testparts.Env(t)
	scripts, err := testparts.Scripts(filepath.Join("..", "..", "testdata", "integration"))
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
			err := errors.Join(scriptSetup(e), ownHome(e))
			e.Values[nodesKey{}] = map[string]*testparts.Node{}
			e.Values[networksKey{}] = map[string]*testparts.Network{}
			return err
		},
		Condition:           integrationCondition,
		Cmds:                cmds,
		UpdateScripts:       os.Getenv("MTOOL_UPDATE_SCRIPTS") != "",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
	})
}

// integrationCondition reports whether a condition of a script holds: [PART], or [race] for a build with the race
// detector, which needs terabytes of address space.
func integrationCondition(name string) (bool, error) {
	if name == "race" {
		info, _ := debug.ReadBuildInfo()
		return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}), nil
	}
	return testparts.Available(testparts.Part(name))
}

// ownHome gives a script its own settings.
func ownHome(e *testscript.Env) error {
	home := e.Getenv("HOME")
	for key, dir := range map[string]string{"CONFIG": ".config", "DATA": ".local/share", "CACHE": ".cache"} {
		e.Setenv("XDG_"+key+"_HOME", filepath.Join(home, dir))
	}
	login := filepath.Join(home, "docker") // podman fails without the file in DOCKER_CONFIG
	return errors.Join(os.MkdirAll(login, 0o700), os.WriteFile(filepath.Join(login, "config.json"), []byte("{}"), 0o600))
}

// sharedParts starts each real part once, when the first script needs it. All of them stop when the test ends.
type sharedParts struct {
	t        *testing.T
	registry sync.Map // options: *testparts.RunningRegistry
	mu       sync.Mutex
	engine   *testparts.Engine
	engine28 *testparts.Engine
	engine29 *testparts.Engine
	builder  *testparts.Builder
	buildkit string
	apps     string
}

// tb returns the testing.TB for a part that a script starts.
func (p *sharedParts) tb(ts *testscript.TestScript) testing.TB { return partTB{p.t, ts} }

func (p *sharedParts) commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"real":      p.real,
		"dockerd":   p.dockerd,
		"buildkitd": p.buildkitd,
		"node":      p.node,
		"killnode":  cmdKillNode,
		"network":   p.network,
		"container": p.container,
		"sshd":      p.sshd,
		"app":       p.app,
		"compile":   cmdCompile,
		"running":   cmdRunning,
		"gone":      cmdGone,
	}
}

// real VAR [auth] [token] [onescope] [tls] [nodelete] [nomount] [readonly]: $VAR is the host of a registry of the
// distribution project. The read-only registry serves the content of the one without options.
func (p *sharedParts) real(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: real VAR [OPTION...]")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.started(ts, args[1:])
	ts.Setenv(args[0], r.Host)
	ts.Setenv(args[0]+"_USER", r.User)
	ts.Setenv(args[0]+"_PASSWORD", r.Password)
	ts.Setenv(args[0]+"_IDENTITY", r.IdentityToken)
	ts.Setenv(args[0]+"_CA", r.CAFile)
}

// started returns the registry with these options, which all scripts share.
func (p *sharedParts) started(ts *testscript.TestScript, options []string) *testparts.RunningRegistry {
	key := strings.Join(options, " ")
	if found, ok := p.registry.Load(key); ok {
		return found.(*testparts.RunningRegistry)
	}
	var o testparts.RegistryOptions
	for _, word := range options {
		switch word {
		case "auth":
			o.Auth = true
		case "token":
			o.Token = true
		case "onescope":
			o.OneScope = true
		case "tls":
			o.TLS = true
		case "nodelete":
			o.NoDelete = true
		case "nomount":
			o.NoMount = true
		case "readonly":
			o.ReadOnly = p.started(ts, nil)
		default:
			ts.Fatalf("unknown option %q", word)
		}
	}
	r := testparts.StartRegistry(p.tb(ts), o)
	p.registry.Store(key, r)
	return r
}

// dockerd [28|29]: starts a Docker Engine, or one of that version, for the docker command of this script.
func (p *sharedParts) dockerd(ts *testscript.TestScript, _ bool, args []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	engine, start := &p.engine, testparts.StartDockerd
	if slices.Contains(args, "28") {
		engine, start = &p.engine28, testparts.StartDockerd28
	}
	if slices.Contains(args, "29") {
		engine, start = &p.engine29, testparts.StartDockerd29
	}
	if *engine == nil {
		*engine = start(p.tb(ts))
	}
	ts.Setenv("DOCKER_HOST", (*engine).Addr)
}

// buildkitd VAR: $VAR is the address of a BuildKit daemon.
func (p *sharedParts) buildkitd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: buildkitd VAR")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buildkit == "" {
		p.buildkit = testparts.StartBuildkitd(p.tb(ts))
	}
	ts.Setenv(args[0], p.buildkit)
}

// app DIR: fills DIR with the demo's Dockerfile and its program for amd64, arm64 and arm (v7).
func (p *sharedParts) app(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: app DIR")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.apps == "" {
		dir, err := crossCompile(p.t)
		ts.Check(err)
		p.apps = dir
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(p.apps)))
}

// compile SOURCE.go OUT ARCH: compiles a static program.
func cmdCompile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: compile SOURCE.go OUT ARCH")
	}
	ts.Check(compile(background(), ts.Getenv("WORK"), ts.MkAbs(args[0]), ts.MkAbs(args[1]), args[2]))
}

// running COMMAND: waits until a process has this word in its arguments.
func cmdRunning(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: running COMMAND")
	}
	if !eventually(func() bool { return runs(args[0]) }) {
		ts.Fatalf("no process runs %q", args[0])
	}
}

// gone COMMAND: waits until no process has this word in its arguments.
func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone COMMAND")
	}
	if !eventually(func() bool { return !runs(args[0]) }) {
		ts.Fatalf("a process still runs %q", args[0])
	}
}

func runs(command string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	return slices.ContainsFunc(files, func(file string) bool {
		line, err := os.ReadFile(file) // the process may have ended
		return err == nil && slices.Contains(strings.Split(string(line), "\x00"), command)
	})
}

// crossCompile makes the demo's build context.
func crossCompile(t *testing.T) (dir string, err error) {
	dir = t.TempDir()
	source := filepath.Join("..", "..", "testdata", "context")
	for _, arch := range []string{"amd64", "arm64", "arm"} {
		if err := compile(t.Context(), source, ".", filepath.Join(dir, "app-"+arch), arch); err != nil {
			return "", err
		}
	}
	body, err := os.ReadFile(filepath.Join(source, "Dockerfile"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Dockerfile"), body, 0o644)
	}
	return dir, err
}

// compile compiles a static program for Linux; arm is v7, armv6 is v6.
func compile(ctx context.Context, dir, source, out, arch string) error {
	level := "7"
	if arch == "armv6" {
		arch, level = "arm", "6"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, source)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOARM="+level)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling %q for %s: %w: %s", source, arch, err, out)
	}
	return nil
}
