package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
	"mtool/registry/login"
)

func (a *application) lsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "ls [REGISTRY]",
		Aliases: []string{"images", "list"},
		Short:   "List the drafts and the images of the local store, or the repositories of a registry",
		Long: `List the drafts and the images of the local store. With REGISTRY, list the repositories of that registry instead, if it
has such a list and you may see it (Docker Hub and most public registries have none).`,
		Example: "  mtool ls\n  mtool ls registry.example.com\n  mtool ls -o json | jq -r '.rows[].name'",
		Args:    atMost(1, "mtool ls [REGISTRY]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				host, err := login.ParseHost(args[0])
				if err != nil {
					return badInput(err)
				}
				names, err := env.Repositories(cmd.Context(), host)
				if err != nil {
					return err
				}
				return print.Names(a.Out, output, names)
			}
			rows, err := env.Ls(cmd.Context())
			if err != nil {
				return err
			}
			return print.Listing(a.Out, output, rows)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	a.addNoTrunc(cmd.Flags())
	return cmd
}

func (a *application) rmCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME…",
		Short: "Delete local drafts and images; registries are not touched",
		Long: `Delete the draft and the image of the local store that have the NAME, and print which. draft:NAME and store:NAME delete only
one of them. A missing name does not stop the others (exit code 4). Registries are not touched: mtool delete does that.`,
		Example: "  mtool rm demo:v1\n  mtool rm draft:demo:v1 store:demo:v1-arm64",
		Args:    atLeast(1, "mtool rm NAME…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			return env.Rm(cmd.Context(), refs)
		},
	}
}

func (a *application) existsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "exists NAME",
		Short: "Check whether a name exists, and print its digest",
		Long: `Print the digest that NAME has, with exit code 0, or exit with code 4 if it does not exist. A name without a registry is looked
up among drafts, in the local store, and in its registry; one with a registry only there.`,
		Example: "  mtool exists registry.example.com/demo:v1\n  mtool exists registry.example.com/demo:v1 >/dev/null || make image",
		Args:    exactly(1, "mtool exists NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			made, err := env.Exists(cmd.Context(), refs[0])
			if err != nil {
				return err
			}
			print.Made(a.Out, made)
			return nil
		},
	}
}
