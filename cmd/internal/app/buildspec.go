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
	"mtool/compose/publish"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/remote"
)

// BuildOptions are what to build. There must be at least one of Platforms. Without Names nothing stays in the store;
// there must be Outputs or ByDigest then.
type BuildOptions struct {
	Context    string // a directory, a Git or HTTP address, or "-": a tar, or a Dockerfile alone, from In
	Dockerfile string // default: Dockerfile in Context; "-" reads In
	Target     string
	Platforms  []v1.Platform
	Optional   []v1.Platform // those of Platforms that may fail without the others
	Force      bool          // push even if the published list has an optional platform that failed, or others
	// Names are the names of the image or, with several platforms, of the list. The names of its images have the platform
	// after the tag.
	Names           []registry.Ref
	BuildArgs       map[string]string
	Labels          map[string]string
	NoCache         bool
	Reuse           registry.Ref // an image of it is taken, not built again, if it was built from the same
	NoVerify        bool         // keep images whose programs are for another machine
	build.Execution              // the workers; the default is the one inside mtool
	build.SpecOptions
	Progress string // auto (default), plain, tty, rawjson, quiet
	In       io.Reader
	Out      io.Writer // for progress

	ListAnnotations map[string]string // of the list

	Outputs  []BuildOutput
	Data     io.Writer    // for an output named "-"
	Push     bool         // push the image or list to its Names
	Load     bool         // load the image into Docker Engine; of several platforms, the engine's
	ByDigest registry.Ref // a repository to push every image to, without a tag
	// Compression is that of what is pushed, loaded or exported as an OCI archive. The store keeps what was built.
	Compression publish.Compression
	// ResultFile gets a spec.Result for each image that ByDigest pushed and the registry confirmed; a folder gets a
	// file for each.
	ResultFile   string
	Run          string // of the pipeline, for ResultFile
	IDFile       string // gets the digest
	MetadataFile string // gets what docker buildx writes into its metadata file
	Epoch        string // SOURCE_DATE_EPOCH: seconds, or "git" for the time of the context's commit
}

// BuildOutput is a file or directory that a build makes, in addition to or instead of an image in the store.
type BuildOutput struct {
	Type string // local, tar, oci, docker
	Dest string // a directory for local, else a file; "-" is standard output
}

// epochArg is https://reproducible-builds.org/specs/source-date-epoch/
const epochArg = "SOURCE_DATE_EPOCH"

// prepared is a build whose context is a local directory.
type prepared struct {
	spec  build.Spec
	opts  build.Options
	close func()
}

// prepareBuild fetches the context and makes the request. The caller closes the result.
func (e *Env) prepareBuild(ctx context.Context, o BuildOptions) (p prepared, err error) {
	if o.Context == "-" && o.Dockerfile == "-" {
		return p, registry.Usagef("standard input can't be both the build context and the Dockerfile")
	}
	keep, _ := strconv.ParseBool(o.BuildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"])
	dir, err := buildcontext.Open(ctx, o.Context,
		buildcontext.Options{
			In: o.In, KeepGitDir: keep, Client: e.Client.HTTP(), Env: proxyEnv(e.Transport.Proxy),
			Idle: e.Transport.Idle, Note: func(s string) { e.note("%s", s) },
		})
	if err != nil {
		return p, err
	}
	p.close = func() { _ = dir.Close() }
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	file, remove, err := dockerfile(ctx, o, dir)
	if err != nil {
		return p, err
	}
	p.close = func() { remove(); _ = dir.Close() }
	if o.BuildArgs, err = withEpoch(ctx, o, dir); err != nil {
		return p, err
	}
	several := len(o.Platforms) > 1
	p.spec = build.Spec{
		Context: dir.Dir, Fetched: dir.Dir != o.Context, Entries: dir.Entries, Dockerfile: file, Target: o.Target,
		VCS: dir.VCS, Platforms: o.Platforms, Optional: o.Optional, BuildArgs: o.BuildArgs, Labels: o.Labels,
		NoCache: o.NoCache, Execution: o.Execution, Progress: o.Progress, Out: o.Out, SpecOptions: o.SpecOptions,
	}
	switch {
	case len(o.Names) > 0:
		p.spec.Name = func(p v1.Platform) registry.Ref { return ImageName(o.Names[0], p, several) }
	case o.ByDigest != (registry.Ref{}):
		name := o.ByDigest.WithTag("pushing-" + strconv.Itoa(os.Getpid()))
		p.spec.Name = func(p v1.Platform) registry.Ref { return ImageName(name, p, true) }
	}
	p.opts = e.buildOptions()
	if !o.NoVerify {
		p.opts.Verify = e.verifyBuilt
	}
	return p, nil
}

// proxyEnv returns the environment variables that tell programs the proxies.
func proxyEnv(p remote.Proxy) (env []string) {
	for name, value := range p.Vars() {
		env = append(env, name+"="+value)
	}
	return env
}

// withEpoch returns the build arguments with SOURCE_DATE_EPOCH; "git" means the time of the context's commit.
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
		return nil, registry.Usagef("SOURCE_DATE_EPOCH %q is not a number of seconds since 1970", epoch)
	}
	args := maps.Clone(o.BuildArgs)
	if args == nil {
		args = map[string]string{}
	}
	args[epochArg] = epoch
	return args, nil
}

// dockerfile returns the path of the Dockerfile. One from standard input is written to a file, which remove deletes. In
// a fetched context, the path is relative to it.
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
			return "", nil, registry.Usagef("Dockerfile %q is outside the fetched build context", o.Dockerfile)
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
	body, err := readDockerfile(ctx, o)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Dockerfile"), body, 0o600)
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	return filepath.Join(dir, "Dockerfile"), remove, nil
}

// readDockerfile reads a Dockerfile from standard input or a pipe.
func readDockerfile(ctx context.Context, o BuildOptions) ([]byte, error) {
	if o.Dockerfile == "-" {
		return regular.ReadAll(ctx, o.In, regular.MaxText)
	}
	return regular.ReadTyped(ctx, o.Dockerfile, regular.MaxText)
}

// Preflight makes the checks of Build, and runs nothing.
func (e *Env) Preflight(ctx context.Context, o BuildOptions) (build.PreflightResult, error) {
	p, err := e.prepareBuild(ctx, o)
	if err != nil {
		return build.PreflightResult{}, err
	}
	defer p.close()
	return build.Preflight(ctx, p.spec, p.opts)
}

// CheckDockerfile checks the rules for Dockerfiles and calls tell for each violation. Any is an error.
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

// ImageName returns the name of an image in the store: demo:v1-arm64 for demo:v1 if several platforms are built.
func ImageName(name registry.Ref, p v1.Platform, several bool) registry.Ref {
	if several {
		name = name.WithTag(name.Tag + "-" + platform.Suffix(p))
	}
	return name.At(registry.TransportStore)
}
