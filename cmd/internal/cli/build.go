package cli

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"mtool/build"
	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/compose"
	"mtool/inspect/platform"
	"mtool/registry"
)

const buildLong = `Build an image for each architecture into the local store.

One platform: the image is named as -t says. Several: with -t demo:v1 the images are demo:v1-amd64, demo:v1-armv7 and so
on (the os in front when it isn't linux), and demo:v1 is the draft of the list that holds them. Neither --arch nor
--platform: this machine's own platform.

No daemon and no root: BuildKit runs inside mtool, in its own namespaces. Platforms that this machine can't run are
emulated by QEMU (static binaries from MTOOL_HOME/emulators, then PATH), which is registered for this build only. A name
after FROM is looked up in the local store first, then in its registry (--pull: only there).

In a container, docker run needs --security-opt seccomp=unconfined --security-opt apparmor=unconfined, or --privileged;
podman needs no flag. Without a volume for MTOOL_HOME, layers are copied whole. A release's image with a tag such as
1.0.0-builder has that volume, runc and emulators, and works in /work. Where the container hides parts of /proc (all do
without systempaths=unconfined), RUN steps can see other processes, and steps that run at the same time can see each
other's secrets; the worker's environment then has no credentials and its memory is protected. --no-process-sandbox does
the same anywhere.

CONTEXT is a directory (default: this one), "-" for a tar or a single Dockerfile on standard input, a Git repository
(https://HOST/NAME.git#REF:DIR or ….git?tag=REF&subdir=DIR, git@HOST:NAME; needs the git command), or the address of a
tar. The Dockerfile is the first of Dockerfile, dockerfile and Containerfile in it, or the file of -f: any file, also -
and <(COMMAND). Links that lead out of the context are refused, and outputs that a link redirects. Filters of a Git
repository (LFS) do not run.

All platforms of one command get the same files. A file that can't be read, or that changes while it is sent, ends the
build. The worker is sent the files that differ from the last build in size, time, mode or owner, and those whose
content changed while size and time did not (git archive, bazel, touch -d). To find the latter, mtool hashes files,
except those whose inode, size, mtime and ctime are unchanged since they were hashed, two seconds or more after their
last change. On NFS, FUSE and systems other than Linux it hashes every file.

Modes, set-id and sticky bits, pipes and times are kept. Files of a directory are owned by root, files of an archive by
their owners, as with docker build. Devices are kept too: from an archive (as the context, or by ADD), by COPY --from,
and by mknod in a RUN step. Steps see an empty file in place of a device; the image has the device. No device is made on
this machine, so -o DIR fails for an image with devices (-o type=tar has them). --skip-devices leaves out the devices of
the context and of files that -o writes; devices from an unpacked archive, a base image or a step stay in the image.

Before anything runs, every base image is looked up for every platform. One that is missing ends the build (exit code
4), and the error names the platforms that there are. --preflight stops there and shows what would be used. mtool warns
of lines of the Dockerfile that put files of another architecture into an image (--strict: exit code 3):

  MT101  an ARG gives TARGETARCH, TARGETPLATFORM … a default, which hides BuildKit's value
  MT102  the final stage has a fixed --platform, or $BUILDPLATFORM
  MT103  RUN, COPY, ADD or ENV names another architecture than the one it is built for
  MT104  steps for several platforms use one cache mount without an id at the same time

Before an image is stored, its entrypoint, loader, libc and shell are checked: a file for another machine ends the build
(exit code 3; --no-verify stores the image all the same).

--optional linux/riscv64 names a platform that may fail: no base image, no emulator, a step that fails, a foreign
entrypoint. The list is then made without it. It is said on a line of its own, in the annotation mtool.missing of the
list, in --metadata-file, --github-output and --result; the exit code is 0, or 10 with --strict-optional. A list in a
registry does not lose the platform that way (exit code 7; --force). mtool amend --published adds it later.

--reuse REF takes a platform's image from REF, with its attestations, instead of building it, where both are made of the
same: the Dockerfile; names, modes and contents of the files that .dockerignore lets through, in every context; digests
of the base images; arguments, labels, annotations, the target and the other flags about steps; names of secrets; the
frontend; the worker's platform. Times of files and values of secrets do not count, nor what a step fetches from a
network by itself. The digest of all this is in the image's annotation mtool.inputs, which --reuse writes, and in its
provenance. The image is verified as one that was built; if that fails, or ADD fetches from an address without
--checksum, the platform is built, and why is said. In CI, REF is the tag that is pushed:

  mtool build --arch amd64,arm64 -t registry.example.com/demo:v1 \
    --reuse registry.example.com/demo:v1 --push .

--cache-to and --cache-from type=gha are the cache of GitHub Actions; its variables (ACTIONS_RESULTS_URL,
ACTIONS_RUNTIME_TOKEN, ACTIONS_CACHE_SERVICE_V2) are visible to actions alone, and to run: steps after
crazy-max/ghaction-github-runtime. Each platform has a scope of its own (buildkit-arm64). Blobs are checked by their
digest, so a service can't change them; whoever may write a cache can add steps to it, as with every cache of BuildKit.
type=s3 and type=azblob need a buildkitd (--worker).

--check runs BuildKit's own checks too and stops; it needs neither a worker nor a network.

For a list of images that several jobs build, each job pushes its image by digest and writes a result file; the last job
reads these files:

  mtool build --arch arm64 -t demo:v1 \
    --push-by-digest registry.example.com/demo --result arm64.json .
  mtool create registry.example.com/demo:v1 --from-files '*.json' \
    --require linux/amd64,linux/arm64 --push

The file has a JSON object for each image, with schema ("mtool.result/v1"), repo, digest, platform, mediaType, size (of
the manifest, in bytes), version (the label org.opencontainers.image.version), ref (the name given by -t), run
(GITHUB_RUN_ID or CI_PIPELINE_ID) and, where digest includes attestations, image: the digest of the image alone. The
file is written once the registry has confirmed every image. --result DIR/ writes a file for each image, such as
acme-demo_v1_linux-arm-v7.json, so
that the files of all jobs fit into one folder. Whole workflows: mtool help ci.`

type buildFlags struct {
	arch, platforms, optional, tags, buildArgs, labels []string
	workerFlags
	extra extraFlags
	app.BuildOptions
}

func (a *application) buildCommand() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build [CONTEXT] --arch ARCH[,ARCH] -t NAME",
		Short: "Build an image for each architecture into the local store",
		Long:  buildLong,
		Example: `  mtool build --arch arm64 -t demo:v1-arm64 .
  mtool build --arch amd64,arm64,arm/v7 -t demo:v1 .
  mtool build --arch amd64,arm64 -t registry.example.com/demo:v1 --push .
  mtool build --preflight --strict --arch amd64,arm64 .
  mtool build --arch arm64 -o files . && file files/app`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("mtool build [CONTEXT] --arch ARCH -t NAME", "expected one build context, got %d: %q",
					len(args), args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.runBuild(cmd, f, args) },
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.arch, "arch", nil,
		"build for this `ARCH`: amd64, arm64, arm, riscv64 …\narm is arm/v7; names of uname and Debian will do too")
	fl.StringSliceVar(&f.platforms, "platform", nil, "build for this `PLATFORM`, as in linux/arm/v7")
	fl.StringSliceVar(&f.optional, "optional", nil,
		"go on without this `PLATFORM` if it can't be built\nthe list says so; never when the published list has it, unless --force")
	fl.BoolVar(&f.extra.strictOptional, "strict-optional", false, strictOptionalHelp)
	fl.BoolVar(&f.Force, "force", false, "push even if the published list loses platforms")
	fl.StringArrayVarP(&f.tags, "tag", "t", nil, "`NAME` of the image, or of the list")
	fl.StringVarP(&f.Dockerfile, "file", "f", "",
		"the Dockerfile: `FILE`, or - for standard input\nby default the first of Dockerfile, dockerfile and Containerfile in CONTEXT")
	fl.StringVar(&f.Target, "target", "", "stop at this `STAGE`")
	fl.StringArrayVar(&f.buildArgs, "build-arg", nil,
		"set a build argument: `KEY=VALUE`\nor KEY, to take it from the environment")
	fl.StringArrayVar(&f.labels, "label", nil, "set a label: `KEY=VALUE`")
	fl.BoolVar(&f.NoVerify, "no-verify", false,
		"keep an image that starts foreign programs\nor has a loader, libc or shell of another architecture")
	fl.BoolVar(&f.NoCache, "no-cache", false, "run every step again")
	f.extra.add(fl)
	addFiles(fl, &f.BuildOptions)
	f.register(fl)
	return cmd
}

func (a *application) runBuild(cmd *cobra.Command, f buildFlags, args []string) error {
	context := "."
	if len(args) > 0 {
		context = args[0]
	}
	o, err := a.buildOptions(f, context)
	if err != nil {
		return err
	}
	return a.build(cmd.Context(), f.extra, o)
}

// buildOptions parses the flags.
func (a *application) buildOptions(f buildFlags, context string) (o app.BuildOptions, err error) {
	o = f.BuildOptions
	o.Context, o.In, o.Progress = context, a.In, a.buildProgress()
	if o.Execution, err = f.execution(); err != nil {
		return o, err
	}
	if f.idleTimeout > 0 {
		a.idle = min(a.idle, f.idleTimeout) // the flag hides that of the other commands
	}
	if o.Platforms, err = buildPlatforms(f.arch, f.platforms); err != nil {
		return o, err
	}
	if o.Optional, err = parsePlatforms(f.optional); err != nil {
		return o, err
	}
	for _, tag := range f.tags {
		ref, err := parseListName(tag)
		if err != nil {
			return o, err
		}
		o.Names = append(o.Names, ref)
	}
	if o.BuildArgs, err = parseBuildArgs(f.buildArgs); err != nil {
		return o, err
	}
	if o.Labels, err = parsePairs("--label", f.labels); err != nil {
		return o, err
	}
	if err := f.extra.into(&o); err != nil {
		return o, err
	}
	o.Out, o.Data, o.Run = a.buildLog(o.Progress), a.Out.Exact(), pipelineRun()
	return o, nil
}

// build does what the flags ask for: check, look ahead, or build.
func (a *application) build(ctx context.Context, f extraFlags, o app.BuildOptions) error {
	if err := checkGitHubOutput(f.githubOutput); err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	switch {
	case f.check:
		return env.CheckDockerfile(ctx, o, func(w build.Warning) { print.Warning(a.Out, w) })
	case f.preflight:
		found, err := env.Preflight(ctx, o)
		if err != nil {
			return err
		}
		return print.Preflight(a.Out, found)
	case f.reproduce != "":
		ref, err := registry.ParseRef(f.reproduce)
		if err != nil {
			return badInput(err)
		}
		made, err := env.Reproduce(ctx, o, ref)
		print.Made(a.Out, made...)
		return err
	}
	built, err := env.Build(ctx, o)
	if !usesStdout(o) {
		print.Made(a.Out, built.Made...)
	}
	if err == nil && f.githubOutput {
		err = addGitHubOutput(print.BuiltOutputs(built))
	}
	if err == nil && f.strictOptional {
		err = compose.CheckMissing(built.MissingPlatforms())
	}
	return err
}

// buildLog is where the progress of a build goes. Only a display that moves about needs the terminal itself.
func (a *application) buildLog(mode string) io.Writer {
	if terminal := a.Err.Terminal(); terminal != nil && (mode == "auto" || mode == "tty") {
		return terminal
	}
	return a.Err.With(print.Manners{Colours: true})
}

// usesStdout: standard output is a file then, and nothing else belongs there.
func usesStdout(o app.BuildOptions) bool {
	return slices.ContainsFunc(o.Outputs, func(out app.BuildOutput) bool { return out.Dest == "-" })
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
