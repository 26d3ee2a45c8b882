package build

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerui"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/build/emulator"
)

// Check checks the Dockerfile of a Spec against BuildKit's rules and mtool's about architectures. It returns the
// violations in the order of the lines, and needs neither a worker nor the network.
func Check(ctx context.Context, spec Spec, o Options) ([]Warning, error) {
	spec, err := prepareSpec(spec)
	if err != nil {
		return nil, err
	}
	return lintAll(ctx, Job{Spec: spec, Options: o})
}

// lintAll checks the rules of https://docs.docker.com/reference/build-checks/ for the first platform, and those of
// lint for all of them. Base images are not read, so rules about their content find nothing.
func lintAll(ctx context.Context, job Job) ([]Warning, error) {
	d, err := readDockerfile(job.Spec)
	if err != nil {
		return nil, err
	}
	warnings, err := lintByBuildKit(ctx, job, d, []byte(strings.Join(d.lines, "\n")))
	if err != nil {
		return nil, err
	}
	var all []requirements
	for _, target := range job.Spec.Platforms {
		n, err := d.requirements(inputsOf(job, target, buildPlatform(emulator.Detect())))
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	warnings = append(warnings, d.lint(job.Spec.Platforms, all)...)
	slices.SortStableFunc(warnings, func(a, b Warning) int { return cmp.Compare(a.Line, b.Line) })
	return warnings, nil
}

func lintByBuildKit(ctx context.Context, job Job, d *dockerfile, text []byte) (warnings []Warning, err error) {
	target := spec(job.Spec.Platforms[0])
	source := llb.NewSourceMap(nil, d.path, "Dockerfile", text)
	source.Definition = &llb.Definition{} // it is written even if there is none
	results, err := dockerfile2llb.DockerfileLint(ctx, text, dockerfile2llb.ConvertOpt{
		Config: dockerui.Config{
			BuildArgs: job.Spec.BuildArgs, Labels: job.Spec.Labels, Target: job.Spec.Target,
			TargetPlatforms: []ocispecs.Platform{target},
			BuildPlatforms:  []ocispecs.Platform{spec(buildPlatform(emulator.Detect()))},
			LinterConfig:    &linter.Config{},
		},
		SourceMap:      source,
		TargetPlatform: &target,
		MetaResolver:   nothingKnown{},
	})
	if err != nil {
		return nil, err
	}
	for _, w := range results.Warnings {
		one := Warning{Rule: w.RuleName, File: d.path, Text: w.Detail}
		if w.Location != nil && len(w.Location.Ranges) > 0 {
			one.Line = int(w.Location.Ranges[0].Start.Line)
		}
		warnings = append(warnings, one)
	}
	if results.Error != nil {
		one := Warning{Rule: "BuildError", File: d.path, Text: results.Error.Message}
		if ranges := results.Error.Location.Ranges; len(ranges) > 0 {
			one.Line = int(ranges[0].Start.Line)
		}
		warnings = append(warnings, one)
	}
	return warnings, nil
}

// nothingKnown resolves every base image to the requested platform, and knows nothing else about it.
type nothingKnown struct{}

func (nothingKnown) ResolveImageConfig(
	_ context.Context, ref string, o sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	var image ocispecs.Image
	image.Architecture, image.OS = "amd64", "linux"
	if o.ImageOpt != nil && o.ImageOpt.Platform != nil {
		image.Platform = *o.ImageOpt.Platform
	}
	config, err := json.Marshal(image)
	return ref, digest.FromBytes(config), config, err
}

// sayLint reports the warnings, or returns them as an error if Spec.Strict is set.
func sayLint(job Job, warnings []Warning) error {
	if len(warnings) > 0 && job.Spec.Strict {
		return &StrictError{Warnings: warnings}
	}
	for _, w := range warnings {
		job.Options.say("warning: " + w.String())
	}
	return nil
}
