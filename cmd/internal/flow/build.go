package flow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/buildkit"
	"mtool/build/worker"
	"mtool/inspect/platform"
	"mtool/registry"
)

// BuildOptions say what to build. Platforms and Names need one element at least.
type BuildOptions struct {
	Context    string
	Dockerfile string // default: Dockerfile in Context; "-" reads In
	Target     string
	Platforms  []v1.Platform
	// Names are those of the image when one platform is built; of the list, and with the platform behind the tag of the
	// images, when there are several.
	Names     []registry.Ref
	BuildArgs map[string]string
	Labels    map[string]string
	NoCache   bool
	Worker    string // address of a buildkitd; default: the worker inside mtool
	Progress  string // auto (default), plain, tty, quiet
	In        io.Reader
	Out       io.Writer // where progress goes
}

// Made is something that was made: where (a repository, or a file with its transport) and its digest.
type Made struct {
	Place  string
	Digest v1.Hash
}

func madeAt(ref registry.Ref, digest v1.Hash) Made {
	if ref.IsFile() {
		return Made{string(ref.Transport) + ":" + ref.Path, digest}
	}
	return Made{ref.Repository(), digest}
}

// Build builds every platform into the store and, when there are several, makes the list of them a draft. Nothing is
// stored and no list is made when one of them fails.
func (e *Env) Build(ctx context.Context, o BuildOptions) ([]Made, error) {
	file, remove, err := dockerfile(o)
	if err != nil {
		return nil, err
	}
	defer remove()
	several := len(o.Platforms) > 1
	result, err := build.Run(ctx, build.Spec{
		Context: o.Context, Dockerfile: file, Target: o.Target, Platforms: o.Platforms, BuildArgs: o.BuildArgs, Labels: o.Labels,
		NoCache: o.NoCache, Worker: o.Worker, Progress: o.Progress, Out: o.Out,
		Name: func(p v1.Platform) registry.Ref { return imageName(o.Names[0], p, several) },
	}, build.Options{
		StateDir: e.State, EmulatorsDir: filepath.Join(e.Home, "emulators"), Store: e.Store, Credentials: e.Logins,
		PlainHTTP: e.Transport.PlainHTTP, SkipVerify: e.Transport.SkipVerify, Note: e.Transport.Note, Solver: buildkit.Solver{Start: startWorker},
	})
	if err != nil {
		return nil, err
	}
	var made []Made
	for _, image := range result.Images {
		for _, name := range o.Names[1:] {
			if err := e.Store.Tag(ctx, imageName(name, image.Platform, several), image.Manifest); err != nil {
				return nil, err
			}
		}
		e.sayBuilt(image)
		made = append(made, madeAt(image.Ref, image.Manifest.Digest))
	}
	if several {
		return e.listBuilt(ctx, o, result, made)
	}
	e.sayHidden(ctx, o.Names)
	return made, nil
}

func startWorker(ctx context.Context, o build.WorkerOptions) (build.Worker, error) {
	w, err := worker.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (e *Env) sayBuilt(image build.Image) {
	how := "natively"
	if image.Emulator != "" {
		how = "emulated by qemu-" + image.Emulator
	}
	e.note("built %s as %s, %s", platform.Format(image.Platform), image.Ref.At(registry.TransportRegistry).Familiar(), how)
}

// listBuilt makes the draft of the list under each name.
func (e *Env) listBuilt(ctx context.Context, o BuildOptions, result build.Result, made []Made) ([]Made, error) {
	for _, name := range o.Names {
		create := CreateOptions{List: name}
		for _, image := range result.Images {
			create.Sources = append(create.Sources, imageName(name, image.Platform, true).At(registry.TransportStore))
		}
		list, err := e.Create(ctx, create)
		if err != nil {
			return made, fmt.Errorf("making the list %q: %w", name, err)
		}
		made = append(made, list)
	}
	return made, nil
}

// sayHidden warns of drafts that come before the images just built wherever a bare name is looked up.
func (e *Env) sayHidden(ctx context.Context, names []registry.Ref) {
	for _, name := range names {
		_, err := e.Drafts.Load(ctx, name)
		switch {
		case err == nil:
			e.note("warning: a draft has the name %s too and is found first; to delete it: mtool rm draft:%s", name.Familiar(), name.Familiar())
		case !errors.Is(err, registry.ErrNotFound):
			e.note("warning: %v", err)
		}
	}
}

// imageName is demo:v1-arm64 for demo:v1 where several platforms are built.
func imageName(name registry.Ref, p v1.Platform, several bool) registry.Ref {
	if several {
		name = name.WithTag(name.Tag + "-" + platform.Suffix(p))
	}
	return name.At(registry.TransportStore)
}

// dockerfile writes a Dockerfile that comes from standard input to a file; remove deletes it.
func dockerfile(o BuildOptions) (path string, remove func(), err error) {
	if o.Dockerfile != "-" {
		return o.Dockerfile, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "mtool-dockerfile-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	body, err := io.ReadAll(o.In)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Dockerfile"), body, 0o600)
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("reading the Dockerfile from standard input: %w", err)
	}
	return filepath.Join(dir, "Dockerfile"), remove, nil
}
