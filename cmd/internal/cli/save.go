package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
)

func (a *application) saveCommand() *cobra.Command {
	var o app.SaveOptions
	cmd := &cobra.Command{
		Use:   "save NAME… -o FILE",
		Short: "Save images and lists, with every platform, into one OCI archive",
		Long: `Save images and lists into one OCI archive, each with every platform, its attestations and its digests, under its full name.
mtool load, podman load, skopeo, crane and containerd read it.

A name is looked up in drafts, the store and registries, in that order. The file is written when everything is there; a
failed save leaves an older file as it was. The same content gives the same file, byte for byte.`,
		Example: "  mtool save demo:v1 other:v2 -o images.tar\n  podman load -i images.tar",
		Args:    atLeast(1, "mtool save NAME… -o FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.File == "" {
				return usagef("mtool save "+args[0]+" -o FILE", "no file named")
			}
			if o.Names, err = parseRefs(args); err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			made, err := env.Save(cmd.Context(), o)
			print.Made(a.Out, made...)
			return err
		},
	}
	cmd.Flags().StringVarP(&o.File, "output", "o", "", "the `FILE` to write")
	cmd.Flags().BoolVar(&o.Force, "force", false, "save although a claim is wrong")
	return cmd
}
