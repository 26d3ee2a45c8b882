package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"mtool/cmd/internal/testparts"
)

// workflow is the part of GitHub Actions' syntax that the workflows of this repository use.
type workflow struct {
	Env  map[string]string
	Jobs map[string]struct {
		Needs    string
		Env      map[string]string
		Strategy struct {
			Matrix struct{ Include matrixCells }
		}
		Outputs map[string]string
		Steps   []workflowStep
	}
}

// matrixCells holds the cells of a matrix, or the expression that makes them.
type matrixCells struct {
	cells      []map[string]string
	expression string
}

func (m *matrixCells) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		m.expression = n.Value
		return nil
	}
	return n.Decode(&m.cells)
}

// in returns the cells. An expression must be fromJSON of a value.
func (m *matrixCells) in(values map[string]string) (cells []map[string]string, err error) {
	if name := regexp.MustCompile(`^\$\{\{ fromJSON\((\S+)\) \}\}$`).FindStringSubmatch(m.expression); name != nil {
		err = json.Unmarshal([]byte(values[name[1]]), &cells)
		return cells, err
	}
	return m.cells, nil
}

type workflowStep struct {
	ID, Name, Uses, Run, Shell string
	If                         string
	With, Env                  map[string]string
}

// workflowRun runs a workflow on this machine. It runs the scripts of the steps, and those of action.yml, unchanged and
// with a runner's shell. It imitates other actions.
type workflowRun struct {
	t         *testing.T
	dir       string
	action    *localAction
	context   string            // the folder that a checkout copies
	artifacts map[string]string // folders, by name
	values    map[string]string // values of expressions
	summary   string            // the summaries of all jobs
}

func newWorkflowRun(t *testing.T, action *localAction, context string, host *testparts.RunningRegistry) *workflowRun {
	return &workflowRun{
		t: t, dir: t.TempDir(), action: action, context: context, artifacts: map[string]string{},
		values: map[string]string{
			"github.repository": "acme/demo", "github.ref_name": "v1", "github.ref": "refs/tags/v1",
			"secrets.GITHUB_TOKEN": host.Password,
			"GITHUB_ACTOR":         host.User, "GITHUB_RUN_ID": "7", "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
			"CI": "true",
		},
	}
}

// run runs all jobs, each after the ones that it needs, and stops at the first failure.
func (r *workflowRun) run(w workflow) error {
	var done []string
	for len(done) < len(w.Jobs) {
		before := len(done)
		for _, name := range slices.Sorted(maps.Keys(w.Jobs)) {
			job := w.Jobs[name]
			if slices.Contains(done, name) || job.Needs != "" && !slices.Contains(done, job.Needs) {
				continue
			}
			cells, err := job.Strategy.Matrix.Include.in(r.values)
			if err != nil {
				return fmt.Errorf("job %s: %w", name, err)
			}
			if len(cells) == 0 {
				cells = []map[string]string{nil}
			}
			for i, cell := range cells {
				j := &workflowJob{workflowRun: r, dir: filepath.Join(r.dir, name+strconv.Itoa(i)), values: maps.Clone(r.values)}
				j.values["strategy.job-index"] = strconv.Itoa(i)
				for key, value := range cell {
					j.values["matrix."+key] = value
				}
				if err := j.run(w.Env, job.Env, job.Steps); err != nil {
					return fmt.Errorf("job %s %v: %w", name, cell, err)
				}
				for key, value := range job.Outputs {
					r.values["needs."+name+".outputs."+key] = j.expand(value)
				}
			}
			done = append(done, name)
		}
		if len(done) == before {
			return fmt.Errorf("jobs need each other or a missing job; done: %v", done)
		}
	}
	return nil
}

type workflowJob struct {
	*workflowRun
	dir    string
	values map[string]string
	env    []string
	path   []string
}

func (j *workflowJob) run(workflowEnv, env map[string]string, steps []workflowStep) error {
	for _, dir := range []string{"workspace", "home", "temp"} {
		if err := os.MkdirAll(filepath.Join(j.dir, dir), 0o755); err != nil {
			return err
		}
	}
	j.env = []string{
		"HOME=" + filepath.Join(j.dir, "home"), "RUNNER_TEMP=" + filepath.Join(j.dir, "temp"),
		"GITHUB_OUTPUT=" + filepath.Join(j.dir, "output"),
		"GITHUB_PATH=" + filepath.Join(j.dir, "path"), "GITHUB_STEP_SUMMARY=" + filepath.Join(j.dir, "summary"),
		"GOCACHE=" + goEnv(j.t, "GOCACHE"), "GOMODCACHE=" + goEnv(j.t, "GOMODCACHE"), "GOFLAGS=" + goEnv(j.t, "GOFLAGS"),
	}
	for key, value := range j.values {
		if !strings.Contains(key, ".") {
			j.env = append(j.env, key+"="+value)
		}
	}
	j.setenv(workflowEnv)
	j.setenv(env)
	err := j.steps(steps)
	summary, _ := os.ReadFile(filepath.Join(j.dir, "summary"))
	j.summary += string(summary)
	return err
}

func (j *workflowJob) setenv(env map[string]string) {
	for key, value := range env {
		j.env = append(j.env, key+"="+j.expand(value))
	}
}

func (j *workflowJob) steps(steps []workflowStep) error {
	for _, s := range steps {
		var err error
		if !j.wanted(s.If) {
			continue
		}
		if s.Uses != "" {
			err = j.use(s)
		} else {
			err = j.script(s)
		}
		if err != nil {
			return fmt.Errorf("step %q%s: %w", s.Name, s.Uses, err)
		}
	}
	return nil
}

// script runs the script of a step and reads its outputs:
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell.
func (j *workflowJob) script(s workflowStep) error {
	cmd := exec.CommandContext(j.t.Context(), "bash", "-e", "-c", j.expand(s.Run))
	if s.Shell == "bash" {
		cmd = exec.CommandContext(j.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", j.expand(s.Run))
	}
	cmd.Dir = filepath.Join(j.dir, "workspace")
	env := len(j.env)
	j.setenv(s.Env)
	base := testparts.Env(j.t)
	cmd.Env = append(append(slices.Clone(j.env),
		"PATH="+strings.Join(append(slices.Clone(j.path), strings.TrimPrefix(base[0], "PATH=")), ":")),
		"TMPDIR="+filepath.Join(j.dir, "temp"))
	j.env = j.env[:env]
	out, err := cmd.CombinedOutput()
	j.t.Logf("%s\n%s", j.expand(s.Run), out)
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, pair := range j.taken("output") {
		key, value, _ := strings.Cut(pair, "=")
		j.values["steps."+s.ID+".outputs."+key] = value
	}
	j.path = append(j.taken("path"), j.path...)
	return nil
}

// taken returns what the step wrote to one of the runner's files. Each step gets new, empty files.
func (j *workflowJob) taken(file string) []string {
	path := filepath.Join(j.dir, file)
	body, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	_ = os.Remove(path)
	return strings.Fields(string(body))
}

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// expand replaces expressions by their values. An unknown one fails the test.
func (j *workflowJob) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(found string) string {
		key := expression.FindStringSubmatch(found)[1]
		value, ok := j.values[key]
		if first, second, either := strings.Cut(key, " || "); either {
			value, ok = j.values[second]
			value = cmp.Or(j.values[first], value)
		}
		if !ok {
			j.t.Fatalf("no value for %s", found)
		}
		return value
	})
}

var comparison = regexp.MustCompile(`^(\S+) (==|!=) '(.*)'$`)

// wanted reports whether a step's condition holds: an empty one, or a comparison of a value with a word.
func (j *workflowJob) wanted(condition string) bool {
	if condition == "" {
		return true
	}
	part := comparison.FindStringSubmatch(condition)
	if part == nil {
		j.t.Fatalf("no value for the condition %s", condition)
	}
	return (j.expand("${{ "+part[1]+" }}") == part[3]) == (part[2] == "==")
}

func (j *workflowJob) use(s workflowStep) error {
	name, _, _ := strings.Cut(s.Uses, "@")
	path := filepath.Join(j.dir, "workspace", j.with(s, "path"))
	switch name {
	case "actions/setup-go":
		return nil
	case "crazy-max/ghaction-github-runtime":
		cache, server := startActionsCache()
		j.t.Cleanup(server.Close)
		j.setenv(cache.env())
		return nil
	case "actions/checkout":
		return checkOut(j.t, j.context, path)
	case "actions/upload-artifact":
		return j.upload(j.with(s, "name"), path, j.with(s, "overwrite") == "true")
	case "actions/download-artifact":
		return j.download(j.with(s, "pattern"), path)
	}
	if strings.HasPrefix(name, "actions/") {
		return fmt.Errorf("the test does not know %s", s.Uses)
	}
	return j.useLocal(s.With) // ./mtool, or the path of the published module
}

func (j *workflowJob) with(s workflowStep, key string) string { return j.expand(s.With[key]) }

// localAction is action.yml in a copy of the checkout. Its steps run once for the same inputs.
type localAction struct {
	mu   sync.Mutex
	root string
	path map[string][]string // what its steps add to PATH, by inputs
}

func newLocalAction(t *testing.T) *localAction {
	t.Helper()
	a := &localAction{root: t.TempDir(), path: map[string][]string{}}
	copied := exec.CommandContext(t.Context(), "sh", "-c",
		`git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"`, a.root)
	copied.Dir = filepath.Join("..", "..")
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copying the checkout: %v: %s", err, out)
	}
	return a
}

// useLocal runs the steps of action.yml, once for the same inputs.
func (j *workflowJob) useLocal(with map[string]string) error {
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct{ Steps []workflowStep }
	}
	readYAML(j.t, filepath.Join(j.action.root, "action.yml"), &action)
	for name, input := range action.Inputs {
		j.values["inputs."+name] = input.Default
	}
	for name, value := range with {
		if _, ok := action.Inputs[name]; !ok {
			return fmt.Errorf("action.yml has no input %s", name)
		}
		j.values["inputs."+name] = j.expand(value)
	}
	key := fmt.Sprint(with)
	j.action.mu.Lock()
	defer j.action.mu.Unlock()
	if path, ok := j.action.path[key]; ok {
		j.path = path
		return nil
	}
	j.values["github.action_path"], j.values["github.action_ref"] = j.action.root, "main"
	j.values["github.server_url"], j.values["github.action_repository"] = "https://github.example.com", "you/mtool"
	j.env = append(j.env, "GITHUB_ACTION_PATH="+j.action.root)
	err := j.steps(action.Runs.Steps)
	if err == nil {
		j.action.path[key] = j.path
	}
	return err
}

// upload keeps a folder under a name. As in version 4 of the action, two jobs can't use one name.
func (j *workflowJob) upload(name, dir string, overwrite bool) error {
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	switch _, taken := j.artifacts[name]; {
	case len(files) == 0:
		return fmt.Errorf("artifact %q: no files in %s", name, dir)
	case taken && !overwrite:
		return fmt.Errorf("artifact %q already exists", name)
	}
	j.artifacts[name] = dir
	return nil
}

// download copies the files of artifacts into one directory. Files with the same name overwrite each other, so the jobs
// must use different names.
func (j *workflowJob) download(pattern, dir string) error {
	for _, name := range slices.Sorted(maps.Keys(j.artifacts)) {
		if ok, err := filepath.Match(pattern, name); err != nil || !ok {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if out, err := exec.Command("cp", "-r", j.artifacts[name]+"/.", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("artifact %q: %w: %s", name, err, out)
		}
	}
	return nil
}

// checkOut makes a repository with one commit.
func checkOut(t *testing.T, context, dir string) error {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(context)); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", "."},
		{"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w: %s", args, err, out)
		}
	}
	return nil
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(out))
}

func readYAML(t *testing.T, file string, v any) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(body, v)
	}
	if err != nil {
		t.Fatalf("reading %s: %v", file, err)
	}
}
