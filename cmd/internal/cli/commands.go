package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// subcommands makes the command that args begin with, or all of them where that is none: making all takes a tenth of the time
// in which the program starts.
func (a *application) subcommands(args []string) []*cobra.Command {
	all := a.commands()
	if len(args) > 2 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		args = args[1:] // the command line that the shell completes
	}
	if len(args) > 0 {
		if named := all[args[0]]; named != nil {
			return []*cobra.Command{named()}
		}
	}
	var made []*cobra.Command
	for _, c := range all {
		made = append(made, c())
	}
	return append(made, a.topics()...)
}

// commands are all commands by name.
func (a *application) commands() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		"build":      a.buildCommand,
		"create":     a.createCommand,
		"amend":      a.amendCommand,
		"annotate":   a.annotateCommand,
		"remove":     a.removeCommand,
		"push":       a.pushCommand,
		"inspect":    a.inspectCommand,
		"diff":       a.diffCommand,
		"resolve":    a.resolveCommand,
		"rename":     a.renameCommand,
		"copy":       a.copyCommand,
		"load":       a.loadCommand,
		"ls":         a.lsCommand,
		"rm":         a.rmCommand,
		"tags":       a.tagsCommand,
		"delete":     a.deleteCommand,
		"exists":     a.existsCommand,
		"version":    a.versionCommand,
		"emulators":  a.emulatorsCommand,
		"workers":    a.workersCommand,
		"prune":      a.pruneCommand,
		"du":         a.duCommand,
		"serve":      a.serveCommand,
		"save":       a.saveCommand,
		"login":      a.loginCommand,
		"logout":     a.logoutCommand,
		"auth":       a.authCommand,
		"manifest":   a.manifestCommand,
		"imagetools": a.imagetoolsCommand,
		pluginWord:   pluginCommand,
	}
}

// topics are the help texts without a command.
func (a *application) topics() []*cobra.Command {
	return []*cobra.Command{
		topic("flags", "The flags of every command: registries, TLS, retries, time limits", a.writeFlags),
		topic("exit-codes", "The exit codes and what they mean", writeExitCodes),
		topic("spec", "The YAML files of create --spec", writeSpecHelp),
		topic("spec-schema", "The JSON schema of the YAML files of create --spec", writeSpecSchema),
		topic("notes", "What inspect notes, and what of it fails with --strict", writeNotes),
		topic("foreign-files", "Files that may be for another machine, for --deep", writeForeignFiles),
		topic("abi", "What --deep tells of machines and ABIs: --abi, --page-size", writeABIHelp),
		topic("deploy", "Checking what Kubernetes and Compose files name: inspect --files", writeDeployHelp),
		topic("nodes", "Which entry of a list a node gets: the runtimes' rules", writeNodesHelp),
		topic("admission", "A validating webhook for Kubernetes, as an example", writeAdmissionHelp),
		topic("json", "What inspect -o json prints, and --format", writeJSONHelp),
		topic("json-schema", "The JSON schema of inspect -o json", writeInspectSchema),
		topic("registries", "Settings of registries: registries.yaml, certificates, mirrors", writeRegistriesHelp),
		topic("ci", "Workflows for GitHub Actions and GitLab CI", writeCI),
		topic("ci-github", "A workflow for GitHub Actions: a runner of its own for each architecture", writeCIFile("github.yml")),
		topic("ci-github-qemu", "A workflow for GitHub Actions: one runner, and QEMU", writeCIFile("github-qemu.yml")),
		topic("ci-gitlab", "A pipeline for GitLab CI", writeCIFile("gitlab.yml")),
		topic("names", "Names, transports and where a name is looked up", writeNames),
		topic("migrating", "Commands of docker, buildx, crane, regctl, podman, skopeo and oras, and what to write here", writeMigrating),
		topic("compare", "What mtool does, and what other tools do of it", writeCompare),
	}
}

// topic is a help text without a command.
func topic(name, short string, write func(io.Writer)) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short}
	c.SetHelpFunc(func(cmd *cobra.Command, _ []string) { write(cmd.OutOrStdout()) })
	return c
}
