package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/inspect/platform"
)

const resolveLong = `Show which entry of a list a node gets, by each runtime's rules, and why: docker and containerd use containerd's library,
podman and CRI-O that of containers/image. See mtool help nodes.

--node takes os/arch[/variant][:os.version] as mtool inspect --require does; without it the node is this machine. --as
names the runtimes; the default is all. Exit code 4 where one finds no entry, 3 with --same where they take different
entries. Every
runtime takes a single image, whatever its platform: exit code 3 where that is not the node's.`

func (a *application) resolveCommand() *cobra.Command {
	var o app.ResolveOptions
	var nodes, as []string
	var output string
	cmd := &cobra.Command{
		Use:   "resolve REF",
		Short: "Show which entry of a list a node gets, by each runtime's rules",
		Long:  resolveLong,
		Example: `  mtool resolve registry.example.com/demo:v1 --node linux/arm/v7
  mtool resolve registry.example.com/demo:v1 --node linux/amd64/v3 --same`,
		Args: exactly(1, "mtool resolve REF --node PLATFORM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := errors.Join(oneOf("--output", output, "table", "json"), oneOf("--from", o.From, "", "store", "registry"))
			if err != nil {
				return err
			}
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			o.Ref = refs[0]
			if o.Nodes, err = parsePlatforms(nodes); err != nil {
				return err
			}
			if o.As, err = parseRuntimes(as); err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			found, err := env.Resolve(cmd.Context(), o)
			if len(found.Taken) == 0 {
				return err
			}
			return errors.Join(err, print.Resolved(a.Out, output, found))
		},
	}
	cmd.Flags().StringSliceVar(&nodes, "node", nil, "the `PLATFORM` of a node\nthis machine's where none is given")
	cmd.Flags().StringSliceVar(&as, "as", nil, "ask only this runtime: `docker|containerd|podman|crio`")
	cmd.Flags().BoolVar(&o.Same, "same", false, "fail where the runtimes take different entries for a node")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "how to show it: `table|json`")
	a.addNoTrunc(cmd.Flags())
	cmd.Flags().StringVar(&o.From, "from", "", "look only here: `store|registry`")
	return cmd
}

// parseRuntimes reads names of runtimes, each once.
func parseRuntimes(names []string) (all []platform.Runtime, err error) {
	var words []string
	for _, r := range platform.Runtimes() {
		words = append(words, string(r))
	}
	seen := map[string]bool{}
	for _, name := range names {
		if name == "cri-o" {
			name = string(platform.CRIO)
		}
		if err := oneOf("--as", name, words...); err != nil {
			return nil, err
		}
		if !seen[name] {
			seen[name], all = true, append(all, platform.Runtime(name))
		}
	}
	return all, nil
}

const nodesHelp = `The runtime on a node decides which entry of a list the node gets, by the entries' platforms alone. mtool resolve applies these
rules; inspect --require, --files and --cluster check that a node of the platform would get an entry.

docker, containerd (so Kubernetes with containerd)

An entry fits when it is for the node's platform, or for one that the node also runs:

    amd64/v3     v3, v2, then plain amd64, then 386
    arm/v7       v7, v6, v5; a row that says only arm is v7
    arm64/v9     v9, v8.5 down to v8, then 32-bit arm; plain arm64 is v8
    others       the same variant, or none on both sides

The nearest one wins, then the one with the most os.features, then the first. x86_64, x86-64, aarch64, armhf, armel and
i386 in a row are understood, other words are not. A row that states no platform is taken where no other fits, if the
image's config does. A node of Windows takes rows of its own build or, from Server 2022 on, of any build since that one:
the latest.

podman, CRI-O (so Kubernetes and OpenShift with CRI-O), buildah, skopeo

Names must be spelled as the node's are. Variants: arm/v7 takes v7, v6, v5, then a row without one; arm64 takes v8, or a
row without one; any other node takes its own variant, or a row without one, and amd64 has none unless --variant says
so. Of two rows alike, one that is annotated as compressed with zstd is taken, then the first. A row that states no
platform is taken where no other fits, in an OCI list. os.version and os.features are not looked at.

A single image is taken by every node; it fails when it is started on the wrong one.

  --require linux/arm/v7   is met by the entry of v6 where there is no other: a note says so, which fails with --strict.
                           With --exact, and for another architecture (386 on amd64, arm on arm64), it is not met.

A name that not all of these runtimes know (x86_64, arm32v7, loongarch64, AMD64), in a row or in a config, is a
mismatch. mtool create and amend write the right name into the row, and create --fix-config into the config; mtool
annotate LIST ENTRY --arch ARCH mends a row of a list that is there.
`

func writeNodesHelp(w io.Writer) { print.Text(w, nodesHelp) }
