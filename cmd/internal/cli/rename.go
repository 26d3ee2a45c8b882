package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/compose/publish"
)

func (a *application) renameCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "rename NAME NEW",
		Short: "Rename a draft or an image of the local store",
		Long: `Rename the draft NAME or, if there is none, the image NAME of the local store. Registries are not touched; to give a list in a
registry another tag, use mtool copy.`,
		Example: "  mtool rename demo:v1-rc demo:v1",
		Args:    exactly(2, "mtool rename NAME NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := parseListName(args[0])
			if err != nil {
				return err
			}
			to, err := parseListName(args[1])
			if err != nil {
				return err
			}
			return a.made(func(env *app.Env) (publish.Made, error) { return env.Rename(cmd.Context(), from, to, force) })
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace what already has the new name")
	return cmd
}
