package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
	"mtool/cmd/internal/print/manual"
)

// topic is a help text without a command.
type topic struct {
	name, short string
	write       func(io.Writer)
	file        bool // it is to be saved as a file, and so printed as it is
}

func (a *application) topics() []topic {
	return []topic{
		{"names", "Names, transports and where a name is looked up", writeNames, false},
		{"registries", "Settings of registries: registries.yaml, certificates, mirrors", writeRegistriesHelp, false},
		{"flags", "The flags of every command: registries, TLS, retries, time limits", a.writeFlags, true},
		{"progress", "How what takes its time is shown: --progress", writeProgressHelp, false},
		{"debug", "What mtool does and why: -v, -vv, --trace, spans", writeDebugHelp, false},
		{"exit-codes", "The exit codes and what they mean", writeExitCodes, false},
		{"migrating", "Commands of docker, crane, podman and others, and what to write here", writeMigratingHelp, false},
		{"compare", "What mtool does, and what other tools do of it", writeCompare, true},
		{"spec", "The YAML files of create --spec", writeSpecHelp, false},
		{"spec-schema", "The JSON schema of the YAML files of create --spec", writeSpecSchema, true},
		{"notes", "What inspect notes, and what of it fails with --strict", writeNotes, false},
		{"foreign-files", "Files that may be for another machine, for --deep", writeForeignFiles, false},
		{"abi", "What --deep says about machines and ABIs: --abi, --page-size", writeABIHelp, false},
		{"nodes", "Which entry of a list a node gets: the runtimes' rules", writeNodesHelp, false},
		{"deploy", "Checking what Kubernetes and Compose files name: inspect --files", writeDeployHelp, false},
		{"admission", "A validating webhook for Kubernetes, as an example", writeAdmissionHelp, true},
		{"json", "What inspect -o json prints, and --format", writeJSONHelp, false},
		{"json-schema", "The JSON schema of inspect -o json", writeInspectSchema, true},
		{"ci", "Workflows for GitHub Actions and GitLab CI", writeCI, false},
		{"ci-github", "A workflow for GitHub Actions: a runner for each architecture", writeCIFile("github.yml"), true},
		{"ci-github-qemu", "A workflow for GitHub Actions: one runner, and QEMU", writeCIFile("github-qemu.yml"), true},
		{"ci-gitlab", "A pipeline for GitLab CI", writeCIFile("gitlab.yml"), true},
	}
}

// text is what the topic says in English.
func (t topic) text() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

// topicText is what a topic says in the language of help.
func (a *application) topicText(t topic) string {
	if t.name == "migrating" && a.lang == "zh" {
		var b strings.Builder
		writeMigrating(&b, strings.Split(a.text(t.name, ""), "\n"))
		return b.String()
	}
	return a.text(t.name, t.text())
}

// topicCommand prints a topic, as wide as the terminal is.
func (a *application) topicCommand(t topic) *cobra.Command {
	c := &cobra.Command{Use: t.name, Short: t.short}
	c.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if t.file {
			t.write(cmd.OutOrStdout())
			return
		}
		for _, line := range manual.Wrap(a.topicText(t), a.columns()) {
			print.Println(cmd.OutOrStdout(), line)
		}
	})
	return c
}
