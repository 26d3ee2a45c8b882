package app

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/facts"
	"mtool/inspect/platform"
	"mtool/inspect/rootfs"
	"mtool/registry"
)

// DeepOptions say whether and how the binaries are read. The zero value reads none.
type DeepOptions struct {
	Deep           bool
	EntrypointOnly bool              // only what the images start
	Follow         bool              // with that: all of an image where what it starts can't be followed
	WholeLayers    bool              // what is read of those is read to its end, and compared with its digest
	AllowForeign   []deep.Glob       // files that may be for any machine
	ABI            map[string]string // what programs must be, by architecture
	PageSize       int64             // of the hosts, in bytes; 0: not known
	NoFacts        bool              // neither use nor keep what was seen in layers
	IgnoreLabels   bool              // of the images, by which they ask for exemptions
	Explain        []string          // paths of files whose verdict is to be explained
}

// Level is how much was looked at.
type Level string

// The levels.
const (
	Claims      Level = "claims"
	Binaries    Level = "binaries"
	Entrypoints Level = "entrypoints" // only the binaries that the images start
)

func (o DeepOptions) level() Level {
	switch {
	case !o.Deep:
		return Claims
	case o.EntrypointOnly:
		return Entrypoints
	}
	return Binaries
}

// boundMemory keeps what the garbage collector leaves lying around from adding to what is needed, which is bounded. It
// returns what ends that.
func boundMemory() (undo func()) {
	const most = 64 << 20 // of Go's part, in bytes
	before := debug.SetMemoryLimit(-1)
	if before > most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(before) }
}

// deepen reads the binaries of all images and lays what they say over the findings about the claims.
func (e *Env) deepen(
	ctx context.Context, report inspect.Report, claims []inspect.Finding, o DeepOptions, strict bool,
) ([]inspect.Finding, deep.Cost, error) {
	result, err := e.layers(ctx, report, nil, o, strict)
	if err != nil {
		return nil, deep.Cost{}, err
	}
	return result.Over(claims), result.Cost, nil
}

// layers reads the binaries of all images; uses are how each is used, nil: as its config says.
func (e *Env) layers(
	ctx context.Context, report inspect.Report, uses [][]deep.Use, o DeepOptions, strict bool,
) (deep.Result, error) {
	defer boundMemory()()
	options := deep.Options{
		EntrypointOnly: o.EntrypointOnly, Follow: o.Follow, Uses: uses, WholeLayers: o.WholeLayers,
		AllowForeign: o.AllowForeign, Strict: strict, IgnoreLabels: o.IgnoreLabels, Explain: o.Explain,
		ABI: o.ABI, PageSize: o.PageSize,
	}
	if !o.NoFacts {
		kept := facts.Open(e.factsDir())
		options.Known = kept.Get
		options.Keep = func(f rootfs.LayerFacts) {
			if err := kept.Put(f); err != nil {
				e.note("note: %v", err)
			}
		}
	}
	return deep.Inspect(ctx, report, options)
}

// verifyBuilt looks at the programs of an image that was just built. Only files that nothing excuses fail it: a build
// may well carry others for another machine on purpose.
func (e *Env) verifyBuilt(ctx context.Context, p v1.Platform, image registry.Object) error {
	report, err := inspect.Read(ctx, image)
	if err != nil {
		return err
	}
	findings := inspect.Check(report, inspect.CheckOptions{Require: []v1.Platform{p}})
	if err := inspect.Failed(unprefixed(findings, p)); err != nil {
		return err
	}
	findings, _, err = e.deepen(ctx, report, findings, DeepOptions{Deep: true}, false)
	if err != nil {
		return err
	}
	var wrong []inspect.Finding
	for _, f := range findings {
		if f.Fails() && deep.Essential(f) {
			wrong = append(wrong, f)
		}
	}
	if err := inspect.Failed(unprefixed(deep.Summary(wrong), p)); err != nil {
		return registry.WithHint(err, "look at the Dockerfile's COPY and FROM lines; --no-verify keeps the image as it is")
	}
	return nil
}

// unprefixed returns the findings without the platform at the start of their messages: package build names it.
func unprefixed(findings []inspect.Finding, p v1.Platform) []inspect.Finding {
	all := slices.Clone(findings)
	for i, f := range all {
		all[i].Message = strings.TrimPrefix(f.Message, platform.Format(p)+": ")
	}
	return all
}
