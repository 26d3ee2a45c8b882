package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/compose/publish"
	"mtool/registry"
)

func (a *application) rebaseCommand() *cobra.Command {
	var o app.RebaseOptions
	var f imageFlags
	var from, to string
	cmd := &cobra.Command{
		Use:   "rebase NAME --old BASE --new BASE",
		Short: "Replace the base of every image of a list, without a build",
		Long: `Replace the layers of one base image by those of another, for all platforms at once. Settings that the config has from the
old base (variables, labels, the command) become those of the new one, as in a new build; what the image set itself
stays.

Exit code 3, and nothing is written, if an image is not made on the old base, or the new base lacks a platform. --deep
also checks the programs before anything is written. NAME is an image or list in the local store or in an OCI
layout, or with --published in its registry.`,
		Example: `  mtool rebase --published r.example.com/demo:v1 --old debian:12 --new debian:13
  mtool rebase demo:v1 --old base:1 --new base:2 -t demo:v1-rebased`,
		Args: exactly(1, "mtool rebase NAME --old BASE --new BASE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" || to == "" {
				return usagef("mtool rebase "+args[0]+" --old debian:12.4 --new debian:12.5", "--old and --new are both needed")
			}
			if err := f.options(args[0], &o.ImageOptions); err != nil {
				return err
			}
			bases, err := parseRefs([]string{from, to})
			if err != nil {
				return err
			}
			o.Old, o.New = bases[0], bases[1]
			return a.done(f.publishFlags, func(env *app.Env) (publish.Done, error) { return env.Rebase(cmd.Context(), o) })
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&from, "old", "", "`BASE` that the images are built on")
	fl.StringVar(&to, "new", "", "`BASE` to use instead")
	f.add(fl, &o.ImageOptions)
	return cmd
}

func (a *application) checkBaseCommand() *cobra.Command {
	var base, output string
	cmd := &cobra.Command{
		Use:   "check-base NAME",
		Short: "Check whether images are built on their current base image",
		Long: `Compare the lowest layers of every image with the layers that its base image has now in its registry. The base is the one that the
image names (org.opencontainers.image.base.name, as an annotation or a label), or the one of --base.

Exit code 3 if an image is not built on the current base, names no base, or the base lacks its platform.`,
		Example: "  mtool check-base registry.example.com/demo:v1\n  mtool check-base demo:v1 --base debian:12",
		Args:    exactly(1, "mtool check-base NAME [--base BASE]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			if base != "" {
				if _, err := registry.ParseRef(base); err != nil {
					return badInput(err)
				}
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			all, err := env.CheckBase(cmd.Context(), app.CheckBaseOptions{Name: refs[0], Base: base})
			if shown := print.Bases(a.Out, output, all); shown != nil {
				return shown
			}
			return err
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "`BASE` of all images, whatever they name")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	return cmd
}
