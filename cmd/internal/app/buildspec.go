package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	buildcontext "mtool/build/context"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/remote"
)

// BuildOptions say what to build. Platforms needs one element at least, and so does Names unless something else is
// made: with ByDigest alone nothing stays in the store.
type BuildOptions struct {
	Context    string // a directory, a Git or HTTP address, or "-": a tar, or a Dockerfile alone, from In
	Dockerfile string // default: Dockerfile in Context; "-" reads In
	Target     string
	Platforms  []v1.Platform
	// Names are those of the image when one platform is built; of the list, and with the platform behind the tag of the
	// images, when there are several.
	Names           []registry.Ref
	BuildArgs       map[string]string
	Labels          map[string]string
	NoCache         bool
	NoVerify        bool // keep an image whose programs are for another machine
	build.Execution      // the workers; default: the one inside mtool
	build.SpecOptions
	Progress string // auto (default), plain, tty, rawjson, quiet
	In       io.Reader
	Out      io.Writer // where progress goes

	ListAnnotations map[string]string // of the list of several platforms

	Outputs  []BuildOutput
	Data     io.Writer    // where an output named "-" goes
	Push     bool         // the image, or the list of several platforms, to the registry under its Names
	Load     bool         // the image into Docker Engine; of several platforms the engine's own
	ByDigest registry.Ref // a repository that gets every image without a tag
	// what ByDigest pushed, once the registry has confirmed it: spec.Result; a folder gets a file for each
	ResultFile   string
	Run          string // the run of a pipeline that this build is part of, for ResultFile
	IDFile       string // gets the digest
	MetadataFile string // gets what docker buildx writes into its own
	Epoch        string // SOURCE_DATE_EPOCH: seconds, or "git" for the time of the context's commit
}

// BuildOutput is something that a build makes besides, or instead of, the image in the store.
type BuildOutput struct {
	Type string // local, tar, oci, docker
	Dest string // a directory for local, else a file; "-" is standard output
}

// epochArg is https://reproducible-builds.org/specs/source-date-epoch/
const epochArg = "SOURCE_DATE_EPOCH"

// prepared is a build whose context is a directory.
type prepared struct {
	spec  build.Spec
	opts  build.Options
	close func()
}

// prepareBuild makes the context a directory and puts the request together. The caller closes what comes back.
func (e *Env) prepareBuild(ctx context.Context, o BuildOptions) (p prepared, err error) {
	if o.Context == "-" && o.Dockerfile == "-" {
		return p, registry.Usagef("standard input can't be both the build context and the Dockerfile")
	}
	keep, _ := strconv.ParseBool(o.BuildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"])
	place, err := buildcontext.Open(ctx, o.Context,
		buildcontext.Options{
			In: o.In, KeepGitDir: keep, Client: e.Client.HTTP(), Env: proxyEnv(e.Transport.Proxy),
			Idle: e.Transport.Idle, Note: func(s string) { e.note("%s", s) },
		})
	if err != nil {
		return p, err
	}
	p.close = func() { _ = place.Close() }
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	file, remove, err := dockerfile(ctx, o, place)
	if err != nil {
		return p, err
	}
	p.close = func() { remove(); _ = place.Close() }
	if o.BuildArgs, err = withEpoch(ctx, o, place); err != nil {
		return p, err
	}
	several := len(o.Platforms) > 1
	p.spec = build.Spec{
		Context: place.Dir, Fetched: place.Dir != o.Context, Entries: place.Entries, Dockerfile: file, Target: o.Target,
		Platforms: o.Platforms, BuildArgs: o.BuildArgs, Labels: o.Labels,
		NoCache: o.NoCache, Execution: o.Execution, Progress: o.Progress, Out: o.Out, SpecOptions: o.SpecOptions,
	}
	switch {
	case len(o.Names) > 0:
		p.spec.Name = func(p v1.Platform) registry.Ref { return imageName(o.Names[0], p, several) }
	case o.ByDigest != (registry.Ref{}):
		name := o.ByDigest.WithTag("pushing-" + strconv.Itoa(os.Getpid()))
		p.spec.Name = func(p v1.Platform) registry.Ref { return imageName(name, p, true) }
	}
	p.opts = e.buildOptions()
	if !o.NoVerify {
		p.opts.Verify = e.verifyBuilt
	}
	return p, nil
}

// proxyEnv says to programs that mtool starts what the proxies are.
func proxyEnv(p remote.Proxy) (env []string) {
	for name, value := range p.Vars() {
		env = append(env, name+"="+value)
	}
	return env
}

// withEpoch sets the build argument SOURCE_DATE_EPOCH; "git" is the time of the context's commit.
func withEpoch(ctx context.Context, o BuildOptions, place buildcontext.Context) (map[string]string, error) {
	epoch := o.Epoch
	if epoch == "" {
		return o.BuildArgs, nil
	}
	if epoch == "git" {
		epoch = place.Epoch
		if epoch == "" {
			var err error
			if epoch, err = buildcontext.CommitTime(ctx, place.Dir); err != nil {
				return nil, registry.Usagef("--source-date-epoch git: %w", err)
			}
		}
	}
	if _, err := strconv.ParseUint(epoch, 10, 63); err != nil {
		return nil, registry.Usagef("SOURCE_DATE_EPOCH %q is no number of seconds since 1970", epoch)
	}
	args := maps.Clone(o.BuildArgs)
	if args == nil {
		args = map[string]string{}
	}
	args[epochArg] = epoch
	return args, nil
}

// dockerfile is the path of the Dockerfile. One from standard input is written to a file; remove deletes it. In a
// context that was fetched the path is meant within it.
func dockerfile(
	ctx context.Context, o BuildOptions, place buildcontext.Context,
) (path string, remove func(), err error) {
	nothing := func() {}
	switch {
	case place.Dockerfile != "":
		return place.Dockerfile, nothing, nil
	case o.Dockerfile == "" || o.Context == place.Dir:
	case o.Dockerfile != "-" && !regular.IsHeld(o.Dockerfile):
		if !filepath.IsLocal(o.Dockerfile) {
			return "", nil, registry.Usagef("Dockerfile %q is not within the build context that was fetched", o.Dockerfile)
		}
		return filepath.Join(place.Dir, o.Dockerfile), nothing, nil
	}
	if o.Dockerfile != "-" && !regular.IsHeld(o.Dockerfile) {
		return o.Dockerfile, nothing, nil
	}
	dir, err := os.MkdirTemp("", "mtool-dockerfile-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	body, err := readTyped(ctx, o)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Dockerfile"), body, 0o600)
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	return filepath.Join(dir, "Dockerfile"), remove, nil
}

// readTyped reads a Dockerfile that comes out of a pipe.
func readTyped(ctx context.Context, o BuildOptions) ([]byte, error) {
	if o.Dockerfile == "-" {
		return regular.ReadAll(ctx, o.In, regular.MaxText)
	}
	return regular.ReadTyped(ctx, o.Dockerfile, regular.MaxText)
}

// Preflight checks what Build would check before anything runs.
func (e *Env) Preflight(ctx context.Context, o BuildOptions) (build.PreflightResult, error) {
	p, err := e.prepareBuild(ctx, o)
	if err != nil {
		return build.PreflightResult{}, err
	}
	defer p.close()
	return build.Preflight(ctx, p.spec, p.opts)
}

// CheckDockerfile looks for what breaks the rules for Dockerfiles, and tells each. It is an error when there is any.
func (e *Env) CheckDockerfile(ctx context.Context, o BuildOptions, tell func(build.Warning)) error {
	p, err := e.prepareBuild(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	warnings, err := build.Check(ctx, p.spec, p.opts)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		tell(w)
	}
	if len(warnings) > 0 {
		return fmt.Errorf("checking the Dockerfile: %w: %d warnings", registry.ErrContent, len(warnings))
	}
	return nil
}

// imageName is demo:v1-arm64 for demo:v1 where several platforms are built.
func imageName(name registry.Ref, p v1.Platform, several bool) registry.Ref {
	if several {
		name = name.WithTag(name.Tag + "-" + platform.Suffix(p))
	}
	return name.At(registry.TransportStore)
}
