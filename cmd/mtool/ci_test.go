package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mtool/cmd/internal/cli"
	"mtool/cmd/internal/testparts"
)

// TestWorkflows runs every step of the workflows that mtool help ci-… prints, and those of action.yml, against a
// registry with a password; make long also runs the reusable workflow. Then a build fails for one architecture: no tag
// may be written.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.QEMU, testparts.Registry, testparts.Crane)
	context, err := crossCompile(t)
	if err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.CopyFS(broken, os.DirFS(context)); err != nil {
		t.Fatal(err)
	}
	// This arm64 program is really for amd64. It runs nevertheless, since this machine is amd64.
	if out, err := exec.CommandContext(t.Context(), "cp", filepath.Join(broken, "app-amd64"),
		filepath.Join(broken, "app-arm64")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	action := newLocalAction(t)
	topics := []string{"ci-github", "ci-github-qemu", "ci-gitlab"}
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		topics = append(topics, reusableWorkflow)
	}
	for _, topic := range topics {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			run := action.runGitHub
			if topic == "ci-gitlab" {
				run = runGitLab
			}
			host := testparts.StartRegistry(t, testparts.RegistryOptions{Auth: true})
			out := run(t, text(t, topic), context, host, false)
			for _, platform := range []string{"linux/amd64", "linux/arm64"} {
				if !strings.Contains(out, platform) {
					t.Errorf("the gate does not print %s:\n%s", platform, out)
				}
			}
			first := tagOf(t, host, "v1")
			if !strings.HasPrefix(first, "sha256:") {
				t.Fatalf("the tag is missing: %s", first)
			}
			run(t, text(t, topic), context, host, false)
			if again := tagOf(t, host, "v1"); again != first {
				t.Errorf("the second run made %s, the first %s", again, first)
			}
			elsewhere := testparts.StartRegistry(t, testparts.RegistryOptions{Auth: true})
			run(t, text(t, topic), broken, elsewhere, true)
			if tag := tagOf(t, elsewhere, "v1"); strings.HasPrefix(tag, "sha256:") {
				t.Errorf("a failed build has the tag %s", tag)
			}
		})
	}
}

// reusableWorkflow is the reusable workflow.
const reusableWorkflow = "image.yml"

// text returns a workflow: that of a help topic, or the reusable one.
func text(t *testing.T, topic string) string {
	t.Helper()
	if topic != reusableWorkflow {
		return help(t, topic)
	}
	body, err := os.ReadFile(filepath.Join("..", "..", ".github", "workflows", topic))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// inputs returns the inputs of a workflow: its defaults, an image and a tag.
func inputs(t *testing.T, body string, host *testparts.RunningRegistry) map[string]string {
	t.Helper()
	var w struct {
		On struct {
			Call struct {
				Inputs map[string]struct{ Default string }
			} `yaml:"workflow_call"`
		}
	}
	if err := yaml.Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for name, input := range w.On.Call.Inputs {
		values["inputs."+name] = input.Default
	}
	if len(values) > 0 {
		values["inputs.image"], values["inputs.version"] = host.Host+"/acme/demo", "v1"
	}
	return values
}

func (a *localAction) runGitHub(
	t *testing.T, body, context string, host *testparts.RunningRegistry, fails bool,
) string {
	t.Helper()
	var w workflow
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(body, "ghcr.io", host.Host)), &w); err != nil {
		t.Fatal(err)
	}
	r := newWorkflowRun(t, a, context, host)
	maps.Copy(r.values, inputs(t, body, host))
	checkFails(t, r.run(w), fails)
	return r.summary
}

func runGitLab(t *testing.T, body, context string, host *testparts.RunningRegistry, fails bool) string {
	t.Helper()
	r := newPipelineRun(t, context, host)
	checkFails(t, r.run(body), fails)
	return r.out
}

// checkFails checks that a run ended as expected: without an error, or with that of the program for the wrong machine.
func checkFails(t *testing.T, err error, fails bool) {
	t.Helper()
	if (err != nil) != fails || fails && !strings.Contains(err.Error(), `the build's target is "arm64"`) {
		t.Fatalf("want an error: %t; got %v", fails, err)
	}
}

// tagOf returns the digest that crane prints for a tag, or crane's error message.
func tagOf(t *testing.T, host *testparts.RunningRegistry, tag string) string {
	t.Helper()
	env := append(os.Environ(), testparts.Env(t)...)
	crane := testparts.Program(t, "crane")
	login := exec.CommandContext(t.Context(), crane, "auth", "login", host.Host, "-u", host.User, "-p", host.Password)
	login.Env = env
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), crane, "digest", host.Host+"/acme/demo:"+tag)
	cmd.Env = env
	out, _ := cmd.CombinedOutput()
	return string(bytes.TrimSpace(out))
}

// TestWorkflowsLint checks the workflows with actionlint, which knows the contexts and types of GitHub Actions, and
// checks that it finds a wrong expression.
func TestWorkflowsLint(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Actionlint)
	lint := func(body string) (string, error) {
		cmd := exec.CommandContext(t.Context(), testparts.Program(t, "actionlint"), "-no-color", "-")
		cmd.Stdin = strings.NewReader(body)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, topic := range []string{"ci-github", "ci-github-qemu", reusableWorkflow} {
		body := text(t, topic)
		if out, err := lint(body); err != nil {
			t.Errorf("%s: %v\n%s", topic, err, out)
		}
		if out, err := lint(strings.Replace(body, "steps.", "stops.", 1)); err == nil {
			t.Errorf("%s with a wrong expression passes: %s", topic, out)
		}
	}
}

func help(t *testing.T, topic string) string {
	t.Helper()
	var out bytes.Buffer
	if code := cli.Run(t.Context(), []string{"help", topic}, cli.Stdio{Out: &out, Err: os.Stderr}); code != 0 ||
		out.Len() == 0 {
		t.Fatalf("mtool help %s: exit code %d", topic, code)
	}
	return out.String()
}
