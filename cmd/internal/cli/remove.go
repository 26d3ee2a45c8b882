package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/compose/publish"
)

func (a *application) removeCommand() *cobra.Command {
	var o app.RemoveOptions
	var pf publishFlags
	cmd := &cobra.Command{
		Use:   "remove LIST ENTRY…",
		Short: "Take entries out of a list",
		Long: `Take entries out of a list: by platform (linux/arm64), by digest, or by the source they came from. Their attestations go
along. The list is the draft of that name, or with --published the list in its registry, changed at once.`,
		Example: "  mtool remove demo:v1 linux/arm/v7",
		Args:    atLeast(2, "mtool remove LIST ENTRY…"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.List, err = parseListName(args[0]); err != nil {
				return err
			}
			o.Entries = args[1:]
			o.PublishOptions = pf.PublishOptions
			return a.done(pf, func(env *app.Env) (publish.Done, error) { return env.Remove(cmd.Context(), o) })
		},
	}
	cmd.Flags().BoolVar(&o.IgnoreMissing, "ignore-missing", false, "an ENTRY that is not there is no error")
	cmd.Flags().BoolVar(&o.Published, "published", false, "change the list in its registry, not the draft")
	pf.addEdit(cmd.Flags())
	return cmd
}
