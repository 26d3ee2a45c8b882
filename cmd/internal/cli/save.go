package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/registry"
)

func (a *application) saveCommand() *cobra.Command {
	var o app.SaveOptions
	var file string
	cmd := &cobra.Command{
		Use:   "save NAME… -o FILE",
		Short: "Save images and lists, with every platform, into one OCI archive",
		Long: `Save images and lists into one OCI archive, each with every platform, its attestations and its digests, under its full name.
mtool load, podman load, skopeo, crane and containerd read it.

A name is looked up in drafts, the store and registries, in that order. The file is written when everything is there; a
failed save leaves an older file as it was. The same content gives the same file, byte for byte. FILE may also be oci:DIR
for a layout, or dir:DIR for the files of one image or list, as skopeo writes them.`,
		Example: "  mtool save demo:v1 other:v2 -o images.tar\n  podman load -i images.tar",
		Args:    atLeast(1, "mtool save NAME… -o FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if file == "" {
				return usagef("mtool save "+args[0]+" -o FILE", "no file named")
			}
			if o.Names, err = parseRefs(args); err != nil {
				return err
			}
			if o.To, err = saveTarget(file, len(args)); err != nil {
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
	cmd.Flags().StringVarP(&file, "output", "o", "", "the `FILE` to write")
	cmd.Flags().BoolVar(&o.Force, "force", false, "save even if a claim is wrong")
	return cmd
}

// saveTarget is where so many images are saved: an archive, unless a transport stands in front.
func saveTarget(file string, images int) (registry.Ref, error) {
	to := registry.Ref{Transport: registry.TransportArchive, Path: file}
	if typed, err := registry.ParseRef(file); err == nil && typed.IsFile() &&
		strings.HasPrefix(file, string(typed.Transport)+":") {
		to = typed
	}
	if to.Transport == registry.TransportDirectory && images > 1 {
		return to, usagef("write oci:"+to.Path+", a layout", "%s can hold one image, not %d", to, images)
	}
	return to, nil
}
