package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/compose"
	"mtool/compose/publish"
)

func (a *application) amendCommand() *cobra.Command {
	f := editFlags{kinds: []string{"keep", "drop"}}
	var pf publishFlags
	var published bool
	cmd := &cobra.Command{
		Use:   "amend LIST IMAGE…",
		Short: "Add images to a list, replacing those of the same platform",
		Long: `Add images to a list; an entry of the same platform is replaced.

The list is the draft of that name, or with --published the list in its registry, changed at once: the push stops when the
tag has moved since it was read.`,
		Example: "  mtool amend demo:v1 demo:v1-arm64\n  mtool amend --published registry.example.com/demo:v1 demo:v1-riscv64",
		Args:    atLeast(2, "mtool amend LIST IMAGE…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := parseListName(args[0])
			if err != nil {
				return err
			}
			o := app.AmendOptions{PublishOptions: pf.PublishOptions, List: list, Published: published}
			if o.EditOptions, err = f.options(); err != nil {
				return err
			}
			if o.Sources, o.Overrides, err = compose.ParseSources(list, args[1:]); err != nil {
				return badInput(err)
			}
			return a.done(pf, func(env *app.Env) (publish.Done, error) { return env.Amend(cmd.Context(), o) })
		},
	}
	f.add(cmd.Flags())
	pf.addEdit(cmd.Flags())
	cmd.Flags().BoolVar(&published, "published", false, "change the list in its registry, not the draft")
	return cmd
}

// made runs a function of package app and prints what it made.
func (a *application) made(run func(*app.Env) (publish.Made, error)) error {
	env, err := a.env()
	if err != nil {
		return err
	}
	made, err := run(env)
	if err != nil {
		return err
	}
	print.Made(a.Out, made)
	return nil
}
