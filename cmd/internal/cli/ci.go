package cli

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"

	"mtool/cmd/internal/print"
)

// ciFiles are whole workflows. The tests run them, step by step.
//
//go:embed ci/*.yml
var ciFiles embed.FS

const ciHelp = `A job for each architecture builds an image, pushes it by digest, without a tag, and writes a result file. A last job reads the
files, makes the list, checks it and writes the tag, so that no one can pull a tag with a platform missing.

  mtool help ci-github >.github/workflows/image.yml        a runner for each architecture
  mtool help ci-github-qemu >.github/workflows/image.yml   one runner; QEMU runs the other architectures
  mtool help ci-gitlab >.gitlab-ci.yml                     GitLab

What keeps a workflow right when it is changed:

  build --push-by-digest REPO    no tag, so no job overwrites another's; -t may be left out
  build --result DIR/            written once the registry has confirmed the image; the names of the files differ by
                                 repository, version and platform in full (arm/v6 is not arm/v7), so they may share a folder
  build --cache-to type=gha      steps that did not change are not run again; each platform has a scope of its own. The action
                                 before it shows the step the cache's variables, which only actions see
  build --optional P, create --optional P  a list without a platform that may fail, which says so (--strict-optional: 10)
  create --from-files --require  a missing, doubled or left-over file (another version, repository or run of the pipeline)
                                 ends the merge before anything is written (exit code 3)
  create --push --deep           reads the binaries of every image before the tag is written
  create --github-output         digest, ref, tags, changed, platforms and digest-linux-arm64 … for later steps
  inspect --deep --require -o github   errors in the log and a table in the job's summary; for the gate of a deployment

A job can run again: it writes its file again, and the next merge takes the new digest. Emulated builds are slow and may
crash, so prefer a runner for each architecture.
`

func writeCI(w io.Writer) { print.Text(w, ciHelp) }

func writeCIFile(name string) func(io.Writer) {
	return func(w io.Writer) {
		body, _ := ciFiles.ReadFile("ci/" + name) // it is embedded: a test reads them all
		print.Text(w, string(body))
	}
}

const githubOutputHelp = "write digest, ref, platforms … into $GITHUB_OUTPUT\nfor later steps of a workflow of GitHub Actions"

// checkGitHubOutput looks before anything is done.
func checkGitHubOutput(wanted bool) error {
	if wanted && os.Getenv("GITHUB_OUTPUT") == "" {
		return usagef("--digest-file FILE",
			"--github-output: $GITHUB_OUTPUT is not set; this is not a step of GitHub Actions")
	}
	return nil
}

// addGitHubOutput appends to the outputs of the step.
func addGitHubOutput(lines string) error {
	file, err := os.OpenFile(os.Getenv("GITHUB_OUTPUT"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err == nil {
		_, err = io.WriteString(file, lines)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("writing $GITHUB_OUTPUT: %w", err)
	}
	return nil
}

// pipelineRun tells the runs of a pipeline apart; a job that is run again keeps it.
func pipelineRun() string { return cmp.Or(os.Getenv("GITHUB_RUN_ID"), os.Getenv("CI_PIPELINE_ID")) }
