package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mtool/build/bake"
	buildcontext "mtool/build/context"
	"mtool/cmd/internal/app"
	baking "mtool/cmd/internal/app/bake"
	"mtool/cmd/internal/print"
	"mtool/inspect/platform"
	"mtool/registry"
)

const bakeLong = `Build the targets of a bake file, as docker buildx bake does: every platform of every target, with one cache. TARGET is
a target or a group of the file, or a pattern (app-*); without one it is "default".

Files are HCL or JSON, as https://docs.docker.com/build/bake/reference/ says: variables (from the environment, or
--var), functions, inherits, matrix, and contexts with target:NAME. Without -f they are docker-bake.json, docker-bake.hcl,
docker-bake.override.json and docker-bake.override.hcl, each that exists; later files win. Paths are relative to this
directory. A key that mtool does not know is an error (exit code 2), and so is a group, a target or a context that leads
back to itself.

Before anything runs, every base image of every target is looked up. A target with several platforms makes a list for
each of its tags. --push publishes a target once all its platforms are built and checked. A target that fails publishes
nothing, those that need it are not built, the others are; the exit code is 10 if some are done. A target that asks for
an entitlement gets it only by --allow, and so does one that reads or writes files outside of this directory
(fs.read=PATH, fs.write=PATH, fs=PATH, or fs=* for all).`

type bakeFlags struct {
	files, set, vars []string
	printed          bool
	push, load       bool
	noCache, pull    bool
	noVerify         bool
	workerFlags
}

func (a *application) bakeCommand() *cobra.Command {
	var f bakeFlags
	cmd := &cobra.Command{
		Use:   "bake [TARGET…]",
		Short: "Build the targets of a docker-bake file",
		Long:  bakeLong,
		Example: `  mtool bake
  mtool bake -f docker-bake.hcl app --push
  mtool bake --set '*.platform=linux/amd64,linux/arm64' --print`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runBake(cmd.Context(), f, args) },
	}
	fl := cmd.Flags()
	fl.StringArrayVarP(&f.files, "file", "f", nil, "the bake file: `FILE`, or - for standard input")
	fl.StringArrayVar(&f.set, "set", nil, "set a value of targets: `TARGET.KEY=VALUE`\nor KEY+=VALUE, to add to a list; TARGET may be a pattern")
	fl.StringArrayVar(&f.vars, "var", nil, "set a variable of the file: `NAME=VALUE`")
	fl.BoolVar(&f.printed, "print", false, "print the targets as JSON, and build nothing")
	fl.BoolVar(&f.push, "push", false, "push the image or the list under its name")
	fl.BoolVar(&f.load, "load", false, "load into Docker Engine: the list if it keeps lists,\nelse the image that the engine runs")
	fl.BoolVar(&f.noCache, "no-cache", false, "run every step again")
	fl.BoolVar(&f.pull, "pull", false, "take base images from their registry, not the store")
	fl.BoolVar(&f.noVerify, "no-verify", false,
		"keep an image that starts foreign programs\nor has a loader, libc or shell of another architecture")
	f.register(fl)
	return cmd
}

func (a *application) runBake(ctx context.Context, f bakeFlags, names []string) error {
	plan, err := a.readBake(ctx, f, names)
	if err != nil {
		return err
	}
	if f.printed {
		return print.LongJSON(a.Out, plan)
	}
	var targets []baking.Target
	for _, t := range plan.Targets {
		one, err := a.bakeTarget(f, t)
		if err != nil {
			return inTarget(t.Name, err)
		}
		targets = append(targets, one)
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	results, err := baking.Run(ctx, env, targets)
	for _, r := range results {
		if len(results) > 1 {
			a.note("target " + r.Name + ": " + string(r.State))
		}
		print.Made(a.Out, r.Built.Made...)
	}
	return err
}

func (a *application) readBake(ctx context.Context, f bakeFlags, names []string) (bake.Plan, error) {
	vars, err := parsePairs("--var", f.vars)
	if err != nil {
		return bake.Plan{}, err
	}
	files, err := bake.Open(ctx, f.files, a.In)
	if err != nil {
		return bake.Plan{}, err
	}
	set := f.set
	if f.noCache {
		set = append(slices.Clip(set), "*.no-cache=true")
	}
	if f.pull {
		set = append(slices.Clip(set), "*.pull=true")
	}
	plan, err := bake.Read(files, bake.Options{
		Targets: names, Set: set, Vars: vars, Env: os.LookupEnv, Push: f.push, Load: f.load,
		Defaults: map[string]string{
			"BAKE_CMD_CONTEXT": bake.Here, "BAKE_LOCAL_PLATFORM": platform.Format(platform.Host()),
		},
	})
	if n := slices.IndexFunc(f.files, isYAML); n >= 0 && err != nil {
		err = registry.WithHint(err, "docker buildx bake --print -f "+f.files[n]+" >docker-bake.json makes one of it")
	}
	return plan, err
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// inTarget says in which target something is wrong.
func inTarget(name string, err error) error {
	return usagef(hintOf(err), "target %s: %v", name, err)
}

// bakeTarget turns a target into the flags of mtool build, and these into a build.
func (a *application) bakeTarget(f bakeFlags, t *bake.Target) (baking.Target, error) {
	request, err := t.Request()
	if err != nil {
		return baking.Target{}, err
	}
	if f.allow, err = allowed(request, f.allow); err != nil {
		return baking.Target{}, err
	}
	b := buildFlags{
		platforms: request.Platforms, tags: request.Tags, buildArgs: request.Args, labels: request.Labels,
		workerFlags: f.workerFlags,
		extra: extraFlags{
			contexts: request.Contexts, secrets: request.Secrets, ssh: request.SSH, hosts: request.Hosts,
			annotations: request.Annotations, outputs: request.Outputs, shmSize: request.ShmSize,
		},
	}
	b.extra.Syntax, b.extra.Network = "auto", request.Network
	b.extra.Ulimits, b.extra.NoCacheStages, b.extra.Pull = request.Ulimits, request.NoCacheStages, request.Pull
	b.extra.CacheFrom, b.extra.CacheTo = request.CacheFrom, request.CacheTo
	b.extra.Provenance, b.extra.SBOM = request.Provenance, request.SBOM
	b.BuildOptions = app.BuildOptions{Target: request.Stage, NoCache: request.NoCache, NoVerify: f.noVerify}
	o, err := a.buildOptions(b, request.Context)
	if err != nil {
		return baking.Target{}, err
	}
	switch {
	case request.Inline != "":
		o.Dockerfile = "-"
	case request.Dockerfile != "" && !buildcontext.IsRemote(request.Context):
		o.Dockerfile = request.FilePath()
	case request.Dockerfile != "Dockerfile":
		o.Dockerfile = request.Dockerfile
	}
	return baking.Target{Name: t.Name, Options: o, Inline: request.Inline, Links: request.Links}, nil
}

// allowed returns the entitlements of steps that a target may have. What it needs beyond those of the user is an error.
func allowed(r bake.Request, given []string) (ofSteps []string, err error) {
	for _, e := range r.Entitlements {
		if !slices.Contains(given, e) {
			return nil, usagef("--allow "+e+", if you trust the file", "it asks for the entitlement %s", e)
		}
	}
	if outside := r.Outside(given, buildcontext.IsRemote); len(outside) > 0 {
		kind, path, _ := strings.Cut(outside[0], "=")
		does := "reads"
		if kind == bake.AllowWrite {
			does = "writes"
		}
		return nil, usagef("--allow "+outside[0]+", if you trust the file",
			"it %s %q, which is outside of this directory", does, path)
	}
	return slices.DeleteFunc(slices.Clone(given), bake.IsFileEntitlement), nil
}
