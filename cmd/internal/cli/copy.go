package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/flow"
)

func (a *app) copyCommand() *cobra.Command {
	var o flow.CopyOptions
	cmd := &cobra.Command{
		Use:   "copy SRC DST",
		Short: "Copy an image or a whole list between registries, the store, layouts and archives",
		Long: `Copy an image or a whole list, with every platform and its attestations, digests unchanged.

SRC and DST: a registry name, store:NAME, oci:DIR[:TAG] or oci-archive:FILE[:TAG]; SRC also docker-archive:FILE.`,
		Example: "  mtool copy store:demo:v1 oci:out:v1\n  mtool copy registry.example.com/demo:v1 store:demo:v1",
		Args:    exactly(2, "mtool copy SRC DST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			o.Src, o.Dst = refs[0], refs[1]
			return a.made(func(env *flow.Env) (flow.Made, error) { return env.Copy(cmd.Context(), o) })
		},
	}
	cmd.Flags().BoolVar(&o.Force, "force", false, "copy although a claim is wrong, or a list would be buried under an image")
	return cmd
}

func (a *app) loadCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "load FILE",
		Short: "Load an OCI layout or archive, or a Docker archive, into the local store",
		Long: `Load an image or list into the local store: an OCI archive (what BuildKit's type=oci writes), a Docker archive (what docker
save writes; its layers are kept as they are) or an OCI layout folder. The name is read from the file, or given with -t.`,
		Example: "  mtool load demo.tar -t demo:v1-arm64",
		Args:    exactly(1, "mtool load FILE [-t NAME]"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o := flow.LoadOptions{File: args[0]}
			if name != "" {
				if o.Name, err = parseListName(name); err != nil {
					return err
				}
			}
			return a.made(func(env *flow.Env) (flow.Made, error) { return env.Load(cmd.Context(), o) })
		},
	}
	cmd.Flags().StringVarP(&name, "tag", "t", "", "`NAME` in the store (default: the name that the file states)")
	return cmd
}
