package cli

import (
	"cmp"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/flow"
	"mtool/cmd/internal/print"
	"mtool/inspect/platform"
)

const buildLong = `Build an image for each architecture into the local store.

One platform: the image is named as -t says. Several: with -t demo:v1 the images are demo:v1-amd64, demo:v1-armv7 and so
on (the os in front when it isn't linux), and demo:v1 is the draft of the list that holds them. Neither --arch nor
--platform: this machine's own platform.

No daemon and no root: BuildKit runs inside this program, in namespaces of its own. Platforms that this machine can't run
natively are emulated by QEMU (static binaries from MTOOL_HOME/emulators, then PATH), known to the build alone. A name
after FROM is looked up in the local store first, then in its registry.`

type buildFlags struct {
	arch, platforms, tags, buildArgs, labels []string
	flow.BuildOptions
}

func (a *app) buildCommand() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build [CONTEXT] --arch ARCH[,ARCH] -t NAME",
		Short: "Build an image for each architecture into the local store",
		Long:  buildLong,
		Example: `  mtool build --arch arm64 -t demo:v1-arm64 .
  mtool build --arch amd64,arm64,arm/v7 -t demo:v1 .`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("mtool build [CONTEXT] --arch ARCH -t NAME", "one build context is wanted, %d given: %q", len(args), args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.runBuild(cmd, f, args) },
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.arch, "arch", nil, "`ARCH` to build for: amd64, arm64, arm (= arm/v7), riscv64 … (repeatable, or a comma list)")
	fl.StringSliceVar(&f.platforms, "platform", nil, "full `PLATFORM` to build for: linux/arm/v7 (repeatable, or a comma list)")
	fl.StringArrayVarP(&f.tags, "tag", "t", nil, "`NAME` of the image, or of the list when several platforms are built (repeatable)")
	fl.StringVarP(&f.Dockerfile, "file", "f", "", "Dockerfile (default CONTEXT/Dockerfile; - reads standard input)")
	fl.StringVar(&f.Target, "target", "", "stop at this `STAGE` of the Dockerfile")
	fl.StringArrayVar(&f.buildArgs, "build-arg", nil, "set a build argument, `KEY=VALUE`, or KEY to take it from the environment (repeatable)")
	fl.StringArrayVar(&f.labels, "label", nil, "set a label, `KEY=VALUE` (repeatable)")
	fl.BoolVar(&f.NoCache, "no-cache", false, "run every step again")
	fl.StringVar(&f.Progress, "progress", "auto", "how progress is shown: auto, plain, tty, quiet")
	fl.StringVar(&f.Worker, "worker", "", "BuildKit worker to use, `ADDR` = unix://PATH or tcp://HOST:PORT (default: the one inside mtool)")
	return cmd
}

func (a *app) runBuild(cmd *cobra.Command, f buildFlags, args []string) (err error) {
	if err := oneOf("--progress", f.Progress, "auto", "plain", "tty", "quiet"); err != nil {
		return err
	}
	if len(f.tags) == 0 {
		return usagef("mtool build --arch ARCH -t NAME CONTEXT", "no name given for the image")
	}
	o := f.BuildOptions
	o.Context, o.In, o.Progress = ".", a.In, a.progress(f.Progress)
	if len(args) > 0 {
		o.Context = args[0]
	}
	if o.Platforms, err = buildPlatforms(f.arch, f.platforms); err != nil {
		return err
	}
	for _, tag := range f.tags {
		ref, err := parseListName(tag)
		if err != nil {
			return err
		}
		o.Names = append(o.Names, ref)
	}
	if o.BuildArgs, err = parseBuildArgs(f.buildArgs); err != nil {
		return err
	}
	if o.Labels, err = parsePairs("--label", f.labels); err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	o.Out = a.Err
	made, err := env.Build(cmd.Context(), o)
	if err != nil {
		return err
	}
	print.Made(a.Out, made...)
	return nil
}

func (a *app) progress(mode string) string {
	if a.quiet {
		return "quiet"
	}
	return cmp.Or(mode, "auto")
}

func buildPlatforms(archs, platforms []string) ([]v1Platform, error) {
	byArch, err := platform.ParseArchList(archs)
	if err != nil {
		return nil, badInput(err)
	}
	byName, err := platform.ParseList(platforms)
	if err != nil {
		return nil, badInput(err)
	}
	all := byArch
	for _, p := range byName {
		if !containsPlatform(all, p) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		all = []v1Platform{platform.Host()}
	}
	return all, nil
}
