package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/compose/publish"
	"mtool/registry"
	"mtool/registry/regular"
)

const imagetoolsLong = `The words and flags of docker buildx imagetools, for scripts that use it. It differs from buildx in this: os.version,
os.features and the list's annotations are kept; platforms come from the images' configs; targets are independent of
each
other; --append also makes a new list; create --confirm reads back what was published. --builder is accepted and ignored.`

func (a *application) imagetoolsCommand() *cobra.Command {
	var builder string
	cmd := &cobra.Command{
		Use: "imagetools", Short: "Stand in for docker buildx imagetools", Long: imagetoolsLong,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&builder, "builder", "", "not needed: no builder takes part")
	mayBeEmpty(cmd.PersistentFlags(), "builder", "is docker's word for the default, and read by nothing here")
	cmd.AddCommand(a.imagetoolsCreate(), a.imagetoolsInspect())
	return cmd
}

type imagetoolsFlags struct {
	tags, files, annotations, platforms []string
	metadataFile                        string
	appends, dryRun, preferIndex        bool
	confirm                             bool
}

func (a *application) imagetoolsCreate() *cobra.Command {
	var f imagetoolsFlags
	cmd := &cobra.Command{
		Use:   "create [OPTIONS] [SOURCE...]",
		Short: "Create a new image based on source images",
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(cmd.Context(), args)
			if err != nil {
				return err
			}
			run := func(env *app.Env) (publish.Done, error) { return env.Imagetools(cmd.Context(), o) }
			if !f.dryRun {
				return a.done(publishFlags{metadataFile: f.metadataFile}, run)
			}
			return a.with(func(env *app.Env) error {
				done, err := run(env)
				if err != nil {
					return err
				}
				return print.Body(a.Out, done)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVarP(&f.tags, "tag", "t", nil, "Set reference `NAME` for new image")
	fl.StringArrayVarP(&f.files, "file", "f", nil, "Read source descriptor from `FILE`")
	fl.StringArrayVar(&f.annotations, "annotation", nil, "Add annotation `KEY=VALUE` to the image")
	fl.StringSliceVarP(&f.platforms, "platform", "p", nil, "Filter specified platforms of target image: `PLATFORM`")
	fl.StringVar(&f.metadataFile, "metadata-file", "", "Write create result metadata to `FILE`")
	fl.BoolVar(&f.appends, "append", false, "Append to existing manifest")
	fl.BoolVar(&f.confirm, "confirm", false, confirmHelp)
	fl.BoolVar(&f.dryRun, "dry-run", false, "Show final image instead of pushing")
	fl.BoolVar(&f.preferIndex, "prefer-index", true, "Make an index of a single source, too\ninstead of a carbon copy")
	return cmd
}

func (f imagetoolsFlags) options(ctx context.Context, args []string) (o app.ImagetoolsOptions, err error) {
	o.Append, o.PreferIndex = f.appends, f.preferIndex
	o.DryRun, o.Confirm = f.dryRun, f.confirm
	o.MayDrop = true // as buildx: platforms that the tag loses are only reported
	for _, file := range f.files {
		body, err := regular.ReadTyped(ctx, file, regular.MaxText)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", registry.ErrNotFound, err)
		}
		if err != nil {
			return o, fmt.Errorf("reading the descriptor: %w", err)
		}
		o.Args = append(o.Args, string(body))
	}
	o.Args = append(o.Args, args...)
	if o.Tags, err = parseRefs(f.tags); err != nil {
		return o, err
	}
	if len(o.Tags) == 0 && f.dryRun && len(args) > 0 {
		if o.Tags, err = parseRefs(args[:1]); err == nil { // somewhere the bytes must be thought of
			o.Tags[0] = o.Tags[0].WithTag("dry-run")
		}
	}
	switch {
	case err != nil:
		return o, err
	case len(o.Tags) == 0:
		return o, usagef("mtool imagetools create -t NAME SOURCE...", "no target: -t names it")
	case len(o.Args) == 0:
		return o, usagef("mtool imagetools create -t NAME SOURCE...", "no sources specified")
	}
	if o.Platforms, err = parsePlatforms(f.platforms); err != nil {
		return o, err
	}
	o.Targeted, err = parseTargeted(f.annotations)
	return o, err
}

func (a *application) imagetoolsInspect() *cobra.Command {
	var format string
	var raw bool
	cmd := &cobra.Command{
		Use:   "inspect [OPTIONS] NAME",
		Short: "Show details of an image in the registry",
		Long: `Show details of an image in the registry. --format is a Go template over .Name, .Manifest, .Image (the config), .Provenance and
.SBOM (what BuildKit's attestations say), with the function json. Of a list the last three are by platform.`,
		Args: exactly(1, "mtool imagetools inspect NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			return a.with(func(env *app.Env) error {
				t, err := env.ImagetoolsInspect(cmd.Context(), refs[0], print.ImagetoolsParts(format))
				switch {
				case err != nil:
					return err
				case raw:
					_, err := a.Out.Exact().Write(t.Report.Root.Body)
					return err
				case format != "":
					return print.ImagetoolsFormat(a.Out, format, t)
				}
				return print.Imagetools(a.Out, t.Report)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "Format the output using the given Go `TEMPLATE`")
	cmd.Flags().BoolVar(&raw, "raw", false, "Show original, unformatted JSON manifest")
	return cmd
}
