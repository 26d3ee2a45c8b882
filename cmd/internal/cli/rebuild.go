package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app/rebuild"
	"mtool/cmd/internal/print"
	"mtool/compose/publish"
	"mtool/inspect/platform"
)

func (a *application) rebuildCommand() *cobra.Command {
	var f workerFlags
	var o rebuild.Options
	var archs, platforms []string
	cmd := &cobra.Command{
		Use:   "rebuild REF",
		Short: "Build every image of a list again, as its provenance says, and compare",
		Long: `Build every image of a list again from what its provenance says (mode=max): the Git repository and commit, the base images by
digest, arguments, labels, the target and SOURCE_DATE_EPOCH, for the same platform and without a cache. Then compare it
with the published one, byte for byte. Nothing stays in the store. Secrets are not in provenance, so a build that needs
them fails.

Exit code 0 if all images are the same; 3 if one differs: where first is said, by layer, file and byte, or the member of
the config; 4 if an image has no provenance or that of mode=min, or if it was built from a directory. --context says
where that directory is now.`,
		Example: `  mtool build --arch amd64,arm64 --provenance mode=max --source-date-epoch git \
    -t r.example.com/demo:v1 --push https://example.com/demo.git#v1
  mtool rebuild r.example.com/demo:v1
  mtool rebuild r.example.com/demo:v1 --arch arm64 --context .`,
		Args: exactly(1, "mtool rebuild REF"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			o.Ref = refs[0]
			if len(archs)+len(platforms) > 0 {
				if o.Platforms, err = buildPlatforms(archs, platforms); err != nil {
					return err
				}
			}
			if o.Execution, err = f.execution(); err != nil {
				return err
			}
			o.Progress = a.buildProgress()
			o.Out = a.buildLog(o.Progress)
			env, err := a.env()
			if err != nil {
				return err
			}
			same, err := rebuild.Run(cmd.Context(), env, o)
			for _, s := range same {
				a.note("rebuilt " + platform.Format(s.Platform) + ": the same, " + s.Digest.String())
				print.Made(a.Out, publish.MadeAt(o.Ref, s.Digest))
			}
			return err
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&archs, "arch", nil, "only this `ARCH`: amd64, arm64, arm, riscv64 …")
	fl.StringSliceVar(&platforms, "platform", nil, "only this `PLATFORM`, as in linux/arm/v7")
	fl.StringVar(&o.Context, "context", "", "build from this `DIR`, not from what provenance names\na directory or a Git address, as of build")
	f.register(fl)
	return cmd
}
