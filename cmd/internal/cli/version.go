package cli

import (
	_ "embed"
	"runtime/debug"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print"
)

const versionLong = `Print the version, the commit and its date, and what a build works with: BuildKit, which is linked, and the
QEMU emulators that are found here.

The version is that of the tag that was built or installed; "devel" is a build of sources without one.`

func (a *application) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  versionLong,
		Example: `  mtool version
  mtool version -o json | jq -r .version`,
		Args: exactly(0, "mtool version"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--output", output, "text", "json"); err != nil {
				return err
			}
			v := versionInfo()
			if env, err := a.env(); err == nil { // a version can be had even where a setting is wrong
				v.Emulators, _ = env.Emulators(cmd.Context(), false)
			}
			return print.Version(a.Out, output, v)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "how to show it: `text|json`")
	return cmd
}

// archived is the commit that git archive made these sources from; in a clone, only how to ask for it.
//
//go:embed archived.txt
var archived string

// versionInfo is what this program was made from.
func versionInfo() print.VersionInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return print.ReadVersion(info, archived)
}

func version() string { return versionInfo().Version }
