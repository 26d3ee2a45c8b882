package cli

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// complete teaches the shell what may follow: local names where a command takes names, platforms, and the words of
// flags that take one of a few.
func (a *application) complete(root *cobra.Command) {
	named := []string{
		"create", "amend", "annotate", "remove", "set", "rebase", "check-base", "push", "inspect", "diff", "resolve",
		"rename", "copy", "rm", "exists", "save",
	}
	for _, cmd := range root.Commands() {
		if slices.Contains(named, cmd.Name()) {
			cmd.ValidArgsFunction = a.completeNames
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if words := flagWords(f.Name); words != nil {
				// It fails for a flag that is not there or has a completion already.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
			}
		})
	}
}

func flagWords(flag string) []string {
	switch flag {
	case "platform", "require", "node":
		return []string{
			"linux/386", "linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/loong64", "linux/mips64le",
			"linux/ppc64le", "linux/riscv64", "linux/s390x", "linux/sw64", "windows/amd64", "windows/arm64",
		}
	case "arch":
		return []string{
			"386", "amd64", "arm", "arm/v6", "arm/v7", "arm64", "loong64", "mips64le", "ppc64le", "riscv64",
			"s390x", "sw64",
		}
	case "type":
		return []string{"auto", "oci", "docker"}
	case "attestations":
		return []string{"keep", "drop"}
	case "on-duplicate":
		return []string{"error", "replace", "keep"}
	case "as":
		return []string{"docker", "containerd", "podman", "crio"}
	case "from":
		return []string{"store", "registry"}
	}
	return nil
}

// completeNames are the drafts and the images of the store. Files too, since archives and layouts are names.
func (a *application) completeNames(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	a.quiet = true // warnings would end up between the words
	env, err := a.env()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	rows, err := env.Ls(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, row := range rows {
		if !slices.Contains(names, row.Name) {
			names = append(names, row.Name)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}
