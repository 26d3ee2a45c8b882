package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// commands are all commands; cobra sorts them by name.
func (a *application) commands() []*cobra.Command {
	return []*cobra.Command{
		a.buildCommand(),
		a.createCommand(),
		a.amendCommand(),
		a.annotateCommand(),
		a.removeCommand(),
		a.pushCommand(),
		a.inspectCommand(),
		a.diffCommand(),
		a.resolveCommand(),
		a.renameCommand(),
		a.copyCommand(),
		a.loadCommand(),
		a.lsCommand(),
		a.rmCommand(),
		a.tagsCommand(),
		a.deleteCommand(),
		a.existsCommand(),
		a.versionCommand(),
		a.emulatorsCommand(),
		a.workersCommand(),
		a.pruneCommand(),
		a.duCommand(),
		a.serveCommand(),
		a.saveCommand(),
		a.loginCommand(),
		a.logoutCommand(),
		a.authCommand(),
		a.manifestCommand(),
		a.imagetoolsCommand(),
		pluginCommand(),
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
