package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
	"mtool/inspect"
)

func (a *application) diffCommand() *cobra.Command {
	var output, from string
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two lists or images, platform by platform",
		Long: `Compare two lists or images: which platforms were added and removed, which have different digests, and how those differ:
layers, config, annotations, attestations. Exit code 0 when nothing differs, 3 when something does.

A and B are looked up as by inspect: drafts, the store, registries, layouts and archives.`,
		Example: "  mtool diff registry.example.com/demo:v1 registry.example.com/demo:v2\n  mtool diff demo:v1 registry.example.com/demo:v1 -o json",
		Args:    exactly(2, "mtool diff A B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(oneOf("--output", output, "table", "json"),
				oneOf("--from", from, "", "store", "registry")); err != nil {
				return err
			}
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			d, err := env.Diff(cmd.Context(), refs[0], refs[1], from)
			if err != nil && !errors.Is(err, inspect.ErrMismatch) {
				return err
			}
			return errors.Join(err, print.Diff(a.Out, output, d))
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	a.addNoTrunc(cmd.Flags())
	cmd.Flags().StringVar(&from, "from", "", "look only there: `store|registry`")
	return cmd
}
