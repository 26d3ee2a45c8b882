package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/compose/publish"
)

const enginePlatform = "for Docker Engine: take the list's image of this `PLATFORM`\ninstead of the engine's own"

func (a *application) copyCommand() *cobra.Command {
	var o app.CopyOptions
	var pf publishFlags
	var cf compressFlags
	var wanted string
	cmd := &cobra.Command{
		Use:        "copy SRC DST",
		SuggestFor: []string{"tag", "cp"},
		Short:      "Copy an image or a whole list between registries, the store, layouts, archives and Docker Engine",
		Long: `Copy an image or a whole list, with every platform and its attestations, digests unchanged unless the layers
are compressed anew (--compression).

SRC and DST: a registry name, store:NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], dir:DIR or docker-daemon:NAME; SRC
also docker-archive:FILE, containers-storage:NAME (podman's), or - for an archive on standard input.

Docker Engine 25 and later with containerd's image store (the default of new installations) takes a whole list, and
an image from it has the digest that it was pulled with. Other engines take one image: that of --platform, by default
of the engine's platform; from them it has another digest, because they keep no manifests. The engine is the docker
command's: DOCKER_HOST, DOCKER_CONTEXT, or docker's current context.`,
		Example: "  mtool copy store:demo:v1 oci:out:v1\n  mtool copy registry.example.com/demo:v1 store:demo:v1",
		Args:    exactly(2, "mtool copy SRC DST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, remove, err := a.fileOfStdin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer remove()
			refs, err := parseRefs([]string{src, args[1]})
			if err != nil {
				return err
			}
			o.Src, o.Dst = refs[0], refs[1]
			if o.Platform, err = parsePlatform(wanted); err != nil {
				return err
			}
			o.PublishOptions = pf.PublishOptions
			if o.Compression, err = cf.options(""); err != nil {
				return err
			}
			return a.done(pf, func(env *app.Env) (publish.Done, error) { return env.Copy(cmd.Context(), o) })
		},
	}
	pf.add(cmd.Flags())
	cf.add(cmd.Flags())
	cmd.Flags().StringVar(&wanted, "platform", "", enginePlatform)
	cmd.Flags().BoolVar(&o.Referrers, "referrers", false, referrersHelp)
	cmd.Flags().BoolVar(&o.Force, "force", false,
		"copy even if a claim is wrong\nor an image would replace a list")
	return cmd
}

func (a *application) loadCommand() *cobra.Command {
	var name, wanted string
	var engine bool
	cmd := &cobra.Command{
		Use:   "load FILE",
		Short: "Load an OCI layout or archive, or a Docker archive, into the local store or Docker Engine",
		Long: `Load an image or list into the local store: an OCI archive (what BuildKit's type=oci writes), a Docker archive (what docker
save writes; its layers are kept as they are) or an OCI layout folder. FILE may be compressed (gzip, zstd, xz, bzip2); -
is standard input. The name is read from the file, or given with -t. Of several images, all that have names are loaded,
under all of their names. Entries of a list that the file does not hold (docker save leaves them out) are reported and
left out.

--engine loads into Docker Engine instead: a whole list where the engine keeps lists (version 25 and later with
containerd's image store), else the image of --platform, by default of the engine's platform.`,
		Example: "  mtool load demo.tar -t demo:v1-arm64\n  docker save demo:v1 | mtool load -\n  mtool load demo.tar -t demo:v1 --engine",
		Args:    exactly(1, "mtool load FILE [-t NAME]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, remove, err := a.fileOfStdin(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer remove()
			o := app.LoadOptions{File: file, Engine: engine}
			if name != "" {
				if o.Name, err = parseListName(name); err != nil {
					return err
				}
			}
			if o.Platform, err = parsePlatform(wanted); err != nil {
				return err
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			made, err := env.Load(cmd.Context(), o)
			print.Made(a.Out, made...)
			return err
		},
	}
	cmd.Flags().StringVarP(&name, "tag", "t", "", "`NAME` in the store\nby default the name that the file states")
	cmd.Flags().StringVar(&wanted, "platform", "", enginePlatform)
	cmd.Flags().BoolVar(&engine, "engine", false, "load into Docker Engine instead of the store")
	return cmd
}
