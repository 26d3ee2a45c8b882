package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
)

func (a *application) duCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "du",
		Short:   "Show how much disk space the store, the drafts and the build cache take",
		Example: "  mtool du",
		Args:    exactly(0, "mtool du"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			rows, failed := env.Du(cmd.Context())
			if err := print.Usage(a.Out, output, rows); err != nil {
				return err
			}
			return failed
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	return cmd
}
