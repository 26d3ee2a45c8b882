package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/compose/publish"
)

func (a *application) pushCommand() *cobra.Command {
	var o app.PushOptions
	var pf publishFlags
	var cf compressFlags
	var require []string
	cmd := &cobra.Command{
		Use:   "push LIST [DEST]…",
		Short: "Publish a draft, a store image, a layout or an archive",
		Long: `Publish a draft, an image of the local store, an OCI layout or an archive (- is one on standard input) under DEST, or under
its own name.

Blobs go first, then the images by digest, and the tag last and once. Several targets, in any registries, are
independent of each other. No tag is written before all content is at all targets; a target that fails gets no tags
(exit code 10), and the same command again finishes the rest. Content that is there is not sent again; a second push
prints unchanged. The sources of
a draft are read again: the push stops when one has moved since the list was made (--refresh takes the new one). Claims are checked before the tag is written.`,
		Example: "  mtool push demo:v1 registry.example.com/demo:v1\n  mtool push oci:out registry.example.com/demo:v1",
		Args:    atLeast(1, "mtool push LIST [DEST]…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, remove, err := a.fileOfStdin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer remove()
			refs, err := parseRefs(append([]string{list}, args[1:]...))
			if err != nil {
				return err
			}
			o.List, o.Dests = refs[0], refs[1:]
			if o.Require, err = parsePlatforms(require); err != nil {
				return err
			}
			o.PublishOptions = pf.PublishOptions
			if o.Compression, err = cf.options(""); err != nil {
				return err
			}
			return a.done(pf, func(env *app.Env) (publish.Done, error) { return env.Push(cmd.Context(), o) })
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&require, "require", nil, "fail unless the list serves this `PLATFORM`")
	fl.BoolVar(&o.Force, "force", false,
		"push even if, for example, platforms would be dropped\nor a list buried under an image, or a claim is wrong")
	fl.BoolVar(&o.Refresh, "refresh", false, "take the images that moved since the draft was made")
	fl.BoolVar(&o.Referrers, "referrers", false, referrersHelp)
	fl.BoolVar(&o.Purge, "purge", false, "delete the draft when every target has the list")
	pf.add(fl)
	cf.add(fl)
	return cmd
}
