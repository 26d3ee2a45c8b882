package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
	"mtool/registry"
)

func (a *application) authCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth",
		Short: "Look at logins",

		SuggestionsMinimumDistance: 2,

		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.authCheckCommand())
	return cmd
}

func (a *application) authCheckCommand() *cobra.Command {
	var push bool
	cmd := &cobra.Command{
		Use:   "check REF",
		Short: "Say whether REF may be pulled, or pushed, and by which login",
		Long: `Ask the registry whether REF may be pulled and, with --push, pushed: exit code 0, or 5 when it is denied. The tag need not
exist. It prints what is allowed, as whom, and in which file or helper the login was found. Nothing is changed: for --push
an upload is begun and given up.`,
		Example: "  mtool auth check --push registry.example.com/demo:v1",
		Args:    exactly(1, "mtool auth check REF [--push]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			if refs[0].Transport != registry.TransportRegistry {
				return usagef("", "%q is not in a registry", args[0])
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			access, err := env.AuthCheck(cmd.Context(), refs[0], push)
			if err != nil {
				return err
			}
			what := "pull"
			if access.Push {
				what = "pull and push"
			}
			print.Println(a.Out, access.Repository+": "+what+" allowed ("+access.Who+")")
			return nil
		},
	}
	cmd.Flags().BoolVar(&push, "push", false, "ask for writing too")
	return cmd
}
