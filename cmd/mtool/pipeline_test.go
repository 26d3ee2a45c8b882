package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mtool/cmd/internal/testparts"
)

// pipeline is the part of GitLab CI's syntax that mtool help ci-gitlab uses.
type pipeline struct {
	Stages    []string
	Variables map[string]string
	Default   pipelineJob
	jobs      map[string]pipelineJob // all other keys
}

func parsePipeline(t *testing.T, body string) (p pipeline) {
	t.Helper()
	var all map[string]any
	err := errors.Join(yaml.Unmarshal([]byte(body), &p), yaml.Unmarshal([]byte(body), &all))
	p.jobs = map[string]pipelineJob{}
	for key, value := range all {
		if slices.Contains([]string{"stages", "variables", "default"}, key) {
			continue
		}
		text, failed := yaml.Marshal(value)
		var job pipelineJob
		err = errors.Join(err, failed, yaml.Unmarshal(text, &job))
		p.jobs[key] = job
	}
	if err != nil || len(p.jobs) == 0 {
		t.Fatalf("reading the pipeline: %v", err)
	}
	return p
}

type pipelineJob struct {
	Stage        string
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	Parallel     struct{ Matrix []map[string]string }
	Artifacts    struct {
		Paths   []string
		Reports struct{ Dotenv string }
	}
}

// pipelineRun runs a pipeline on this machine, stage by stage. A job gets the artifacts of all earlier stages.
type pipelineRun struct {
	t         *testing.T
	dir       string
	context   string
	variables map[string]string
	artifacts []string // the directories of the jobs that made them
	out       string   // the output of all jobs
}

func newPipelineRun(t *testing.T, context string, host *testparts.RunningRegistry) *pipelineRun {
	return &pipelineRun{t: t, dir: t.TempDir(), context: context, variables: map[string]string{
		"CI": "true", "CI_REGISTRY": host.Host, "CI_REGISTRY_IMAGE": host.Host + "/acme/demo", "CI_REGISTRY_USER": host.User,
		"CI_REGISTRY_PASSWORD": host.Password,
		"CI_COMMIT_REF_SLUG":   "v1", "CI_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567", "CI_PIPELINE_ID": "7",
	}}
}

func (r *pipelineRun) run(body string) error {
	p := parsePipeline(r.t, body)
	for key, value := range p.Variables {
		r.variables[key] = os.Expand(value, func(name string) string { return r.variables[name] })
	}
	for _, stage := range p.Stages {
		made := r.artifacts
		for _, name := range slices.Sorted(maps.Keys(p.jobs)) {
			job := p.jobs[name]
			if job.Stage != stage {
				continue
			}
			cells := job.Parallel.Matrix
			if len(cells) == 0 {
				cells = []map[string]string{nil}
			}
			for i, cell := range cells {
				dir := filepath.Join(r.dir, name+strconv.Itoa(i))
				if err := r.job(dir, cell, append(slices.Clone(p.Default.BeforeScript), job.Script...)); err != nil {
					return fmt.Errorf("job %s %v: %w", name, cell, err)
				}
				if len(job.Artifacts.Paths) > 0 {
					made = append(made, dir)
				}
				r.dotenv(dir, job.Artifacts.Reports.Dotenv)
			}
		}
		r.artifacts = made
	}
	return nil
}

// job runs the script in one shell, which stops at the first command that fails.
func (r *pipelineRun) job(dir string, cell map[string]string, script []string) error {
	if err := checkOut(r.t, r.context, filepath.Join(dir, "work")); err != nil {
		return err
	}
	for _, from := range r.artifacts {
		if out, err := exec.Command("cp", "-r", filepath.Join(from, "work", "results"),
			filepath.Join(dir, "work")).CombinedOutput(); err != nil {
			return fmt.Errorf("artifacts: %w: %s", err, out)
		}
	}
	cmd := exec.CommandContext(r.t.Context(), "bash", "-eo", "pipefail", "-c", strings.Join(script, "\n"))
	cmd.Dir = filepath.Join(dir, "work")
	cmd.Env = append(testparts.Env(r.t)[:1], "HOME="+filepath.Join(dir, "home"), "TMPDIR="+dir)
	for _, variables := range []map[string]string{r.variables, cell} {
		for key, value := range variables {
			cmd.Env = append(cmd.Env, key+"="+value)
		}
	}
	out, err := cmd.CombinedOutput()
	r.t.Logf("%s\n%s", strings.Join(script, "\n"), out)
	if r.out += string(out); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// dotenv reads the variables that a job writes for later jobs.
func (r *pipelineRun) dotenv(dir, file string) {
	if file == "" {
		return
	}
	body, err := os.ReadFile(filepath.Join(dir, "work", file))
	if err != nil {
		r.t.Errorf("the job left no variables: %v", err)
	}
	for line := range strings.FieldsSeq(string(body)) {
		key, value, _ := strings.Cut(line, "=")
		r.variables[key] = value
	}
}
