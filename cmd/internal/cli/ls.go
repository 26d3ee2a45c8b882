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
		Long: `List the drafts and the images of the local store. With REGISTRY list the repositories of a registry instead, where it has
such a list and you may see it (Docker Hub and most public registries don't).`,
		Args: atMost(1, "mtool ls [REGISTRY]"),
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
		Short: "Delete drafts and store images of these names; no registry is touched",
		Long: `Delete the draft and the store image of each NAME, saying which. draft:NAME and store:NAME delete just one of them. A name
that is not there does not stop the others (exit code 4). No registry is touched.`,
		Args: atLeast(1, "mtool rm NAME…"),
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
		Short: "Exit 0 when the name is there, 4 when it is not; print its digest",
		Args:  exactly(1, "mtool exists NAME"),
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
