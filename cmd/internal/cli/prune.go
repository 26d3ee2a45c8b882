package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
)

const pruneLong = `Delete the blobs of the local store that no name refers to.

--builds deletes the build cache of the worker in mtool instead: the next build runs its steps again. --keep-storage
keeps that much of it, the most recently used. Both wait for a running build.

--drafts and --images delete names: drafts, and images of the store that no draft uses, if they are older than
--older-than
says (0s: all). mtool rm deletes single names. No registry is touched.`

func (a *application) pruneCommand() *cobra.Command {
	var builds bool
	var keep string
	var names pruneNames
	cmd := &cobra.Command{
		Use:   "prune [--builds [--keep-storage SIZE] | --drafts --images --older-than DURATION]",
		Short: "Delete unused blobs, old drafts and images, or the build cache",
		Long:  pruneLong,
		Example: `  mtool prune
  mtool prune --builds --keep-storage 5GB
  mtool prune --drafts --images --older-than 30d`,
		Args: exactly(0, "mtool prune [--builds]"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			bytes, err := parseSize("--keep-storage", keep)
			if err != nil {
				return err
			}
			if keep != "" && !builds {
				return usagef("mtool prune --builds --keep-storage "+keep, "--keep-storage is about the build cache")
			}
			if names.selected() {
				return a.runPruneNames(cmd.Context(), names, builds)
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			var freed app.Freed
			if builds {
				freed, err = env.PruneBuilds(cmd.Context(), bytes)
			} else {
				freed, err = env.PruneStore(cmd.Context())
			}
			if err != nil {
				return err
			}
			a.note(print.Freed(freed))
			return nil
		},
	}
	names.add(cmd.Flags())
	cmd.Flags().BoolVar(&builds, "builds", false, "the build cache instead of the store")
	cmd.Flags().StringVar(&keep, "keep-storage", "", "leave this `SIZE` of the build cache, as in 5GB")
	return cmd
}
