package app

import (
	"context"
	"fmt"
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

// DeepOptions are whether and how binaries are read. The zero value reads none.
type DeepOptions struct {
	Deep           bool
	EntrypointOnly bool              // only what the images start
	Follow         bool              // with EntrypointOnly: all of an image whose start can't be followed
	WholeLayers    bool              // with EntrypointOnly: read layers to their end, and verify their digests
	AllowForeign   []deep.Glob       // files that may be for any machine
	ABI            map[string]string // what programs must be, by architecture
	PageSize       int64             // of the hosts, in bytes; 0 means unknown
	NoFacts        bool              // neither use nor keep facts about layers
	IgnoreLabels   bool              // labels of images that exempt files
	Explain        []string          // paths of files whose verdict is explained
}

// Level is how much was checked.
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

// CostWords says in how many layers binaries were checked, and how much was read for that.
func CostWords(c deep.Cost) string {
	const again = "; --no-facts reads them again)"
	words := inspect.Count(c.Layers+c.Known, "layer")
	switch {
	case c.Known == 0:
		return words + ", " + inspect.Bytes(c.Bytes) + " read"
	case c.Layers == 0:
		return words + " (all read before" + again
	}
	return fmt.Sprintf("%s, %s read (%d read before%s", words, inspect.Bytes(c.Bytes), c.Known, again)
}

// BoundMemory makes the garbage collector run early: what an inspection and its output need is bounded, and garbage
// must not add to it. undo restores the old limit.
func BoundMemory() (undo func()) {
	const most = 64 << 20 // bytes of Go's heap
	before := debug.SetMemoryLimit(-1)
	if before > most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(before) }
}

// deepen reads the binaries of all images and merges their findings into those about the claims.
func (e *Env) deepen(
	ctx context.Context, report inspect.Report, claims []inspect.Finding, o DeepOptions, strict bool,
) ([]inspect.Finding, deep.Cost, error) {
	result, err := e.layers(ctx, report, nil, o, strict)
	if err != nil {
		return nil, deep.Cost{}, err
	}
	return result.Over(claims), result.Cost, nil
}

// layers reads the binaries of all images. uses has what each image is started with; nil means what its config says.
func (e *Env) layers(
	ctx context.Context, report inspect.Report, uses [][]deep.Use, o DeepOptions, strict bool,
) (deep.Result, error) {
	defer BoundMemory()()
	options := deep.Options{
		EntrypointOnly: o.EntrypointOnly, Follow: o.Follow, Uses: uses, WholeLayers: o.WholeLayers,
		AllowForeign: o.AllowForeign, Strict: strict, IgnoreLabels: o.IgnoreLabels, Explain: o.Explain,
		ABI: o.ABI, PageSize: o.PageSize,
	}
	if !o.NoFacts {
		store := facts.Open(e.factsDir())
		options.Known = store.Get
		options.Keep = func(f rootfs.LayerFacts) {
			if err := store.Put(f); err != nil {
				e.note("note: %v", err)
			}
		}
	}
	return deep.Inspect(ctx, report, options)
}

// verifyBuilt checks the binaries of an image that was just built. Only programs that it needs fail it: a build may
// carry files for other machines on purpose.
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
