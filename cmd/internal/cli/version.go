package cli

import (
	_ "embed"
	"io"
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
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
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

func writeNames(w io.Writer) {
	print.Text(w, `Names follow docker's rules: demo:v1 is docker.io/library/demo:v1, no tag means latest.

  NAME[:TAG|@DIGEST]        a name; where it is looked up is said below
  docker://NAME             the registry only
  store:NAME                the local store only
  draft:NAME                a list that is not published yet
  oci:DIR[:TAG|@DIGEST]     an OCI layout folder; also oci-layout://DIR
  oci-archive:FILE[:TAG]    an OCI archive
  docker-archive:FILE[:TAG] what docker save writes
                            archives may be compressed as a whole (gzip, zstd, xz, bzip2); a path that exists and ends as
                            archives do (.tar, .tar.gz, .tgz …) needs no prefix; load, push and copy take - for standard input
  docker-daemon:NAME        an image of Docker Engine (DOCKER_HOST, DOCKER_CONTEXT, docker's context); also docker-daemon:sha256:ID

Where a name is looked up:
  a bare name (demo:v1, localhost/demo)  drafts, the local store, the registry
  a name with a registry host            inspect, copy, exists: the registry only
                                         sources of create and amend, and FROM: the store, then the registry
                                         save: the store, then the registry
  a one-word name or localhost/NAME      as a source never fetched from a registry: it was most likely not built yet

Local state lies under MTOOL_HOME (default: mtool in the XDG data home): store/ is a plain OCI layout, drafts/ one file a
list, emulators/ QEMU binaries of your own, registries.yaml settings (mtool help registries).
`)
}
