package build

import (
	"context"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/snapshot"
	embedded "mtool/build/worker"
	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/remote"
	"mtool/registry/store"
)

// Spec is what to build. Context and at least one platform are needed, the rest may stay zero.
type Spec struct {
	Context    string                    // a directory
	Fetched    bool                      // Context was made for this build: what workers have of it is not remembered
	Entries    map[string]snapshot.Entry // of a Context that came as an archive: what the archive says of the files in it
	Dockerfile string                    // default: Dockerfile, dockerfile or Containerfile in Context; it may lie outside
	Target     string                    // default: the last stage

	DockerfileLinked bool // Run sets it for a Dockerfile outside of Context that is a link: its text is in no error

	Platforms []v1.Platform
	BuildArgs map[string]string
	Labels    map[string]string
	NoCache   bool
	Name      func(v1.Platform) registry.Ref // the name each image gets in the store; nil: no image is made, Exports only
	Progress  string                         // auto (default), plain, tty, rawjson or quiet
	Out       io.Writer                      // where progress goes; default: nowhere
	Where
	Extras
}

// Options is where a build finds and leaves things.
type Options struct {
	StateDir              string              // the embedded worker's state, BuildKit's cache
	EmulatorsDir          string              // where QEMU binaries are looked for, before PATH
	Store                 *store.Store        // finds base images, takes the results
	Credentials           *login.Credentials  // for base images in registries; nil: none
	Client                *remote.Client      // asks for base images before anything runs; nil: the worker alone asks
	Registries            embedded.Registries // how they are reached, for the embedded worker; Client knows it already
	PlainHTTP, SkipVerify []string            // registry hosts
	Proxies               remote.Proxies      // how addresses are reached by the embedded worker, and by RUN steps
	Note                  func(string)        // told what a user should know, one line each; nil: not told
	// Verify is told each image before any of them is stored; its error ends the build. nil: not asked.
	Verify func(ctx context.Context, p v1.Platform, image registry.Object) error
	Solver Solver // nil: BuildKit
}

// Say tells Note a line, when there is one.
func (o Options) Say(line string) {
	if o.Note != nil {
		o.Note(line)
	}
}

// Result is what Run stored, in the order of Spec.Platforms.
type Result struct{ Images []Image }

// Image is one image in the store.
type Image struct {
	Platform v1.Platform
	Ref      registry.Ref // in the store
	Manifest registry.Manifest
	Emulator string // "" when native, else QEMU's name of the architecture
}

// Solver executes builds, as BuildKit does.
type Solver interface {
	// Solve builds every platform of job.Spec at once and exports platform number i as an OCI layout. Nothing of what it
	// started is left when it returns.
	Solve(ctx context.Context, job Job) ([]Layout, error)
}

// Job is what a Solver gets: a Spec whose paths are absolute and exist, and whose defaults are filled in.
type Job struct {
	Spec    Spec
	Options Options
	Dir     string // an empty directory of the job's own, on the store's file system; removed after the import
}

// Layout is one exported image.
type Layout struct {
	Dir      string        // an OCI layout
	Root     v1.Descriptor // the image's manifest within
	Emulator string        // as in Image
}
