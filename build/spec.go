package build

import (
	"context"
	"io"
	"time"

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
	Execution
	SpecOptions
}

// Options is where a build finds and leaves things.
type Options struct {
	StateDir     string             // the embedded worker's state, BuildKit's cache
	EmulatorsDir string             // where QEMU binaries are looked for, before PATH
	Store        *store.Store       // finds base images, takes the results
	Credentials  *login.Credentials // for base images in registries; nil: none
	Client       *remote.Client     // asks for base images before anything runs; nil: the worker alone asks
	Registries   remote.Settings    // how they are reached, by the embedded worker too; Client knows it already
	Proxies      remote.Proxies     // how addresses are reached by the embedded worker, and by RUN steps
	Note         func(string)       // told what a user should know, one line each; nil: not told
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

// SpecOptions are what a Dockerfile and BuildKit can be told beyond what to build. The zero value says nothing.
type SpecOptions struct {
	Strict  bool // warnings about the Dockerfile are errors
	Discard bool // tell what was built, and store nothing

	// Contexts are named build contexts, which take the place of images and stages of these names: a directory,
	// docker-image://NAME, oci-layout://DIR[:TAG], store:NAME, or the address of a Git repository or of a file.
	Contexts map[string]string
	Secrets  []Secret // for RUN --mount=type=secret
	SSH      []SSH    // for RUN --mount=type=ssh

	AddHosts     []string // HOST=IP, for RUN steps
	Network      string   // of RUN steps: "" and default: the worker's; none; host
	Ulimits      []string // NAME=SOFT[:HARD]
	ShmSize      int64    // of /dev/shm, bytes; 0: 64 MiB
	CgroupParent string   // where the worker has cgroups

	Pull          bool     // ask the registry for every base image, even where the store has one of that name
	SkipDevices   bool     // leave block and character devices of contexts, and of exported files, out
	NoCacheStages []string // stages whose steps are run again
	CacheFrom     []string // type=registry,ref=…; type=local,src=…; or a reference
	CacheTo       []string // type=registry,ref=…; type=local,dest=…; type=inline; or a reference

	Annotations map[string]string // of the image's manifest
	Syntax      string            // the frontend: "" and auto: what "# syntax=" says; builtin; or an image
	Provenance  string            // "" and false: none; true, mode=min, mode=max …
	SBOM        string            // "": none; generator=IMAGE …
	Exports     []Export          // files of the image, besides the image itself
}

// Secret is a value that steps may read and that no layer keeps.
type Secret struct{ ID, File, Env string } // one of File and Env

// SSH is an agent's socket, or private keys.
type SSH struct {
	ID    string // default: "default"
	Paths []string
}

// Export writes the files of an image into a directory or an archive. Of several platforms each gets a directory of its own
// (linux_arm64).
type Export struct {
	Dir     string    // a directory, or
	Archive io.Writer // an archive of one platform
	Type    string    // of the archive: tar, or the whole image as oci or docker (what docker save writes)
	Name    string    // of the image in the archive
}

// Entitlements that a build may have beyond the usual. A Dockerfile asks for them step by step: RUN --security=insecure.
const (
	AllowNetworkHost = "network.host"
	AllowInsecure    = embedded.AllowInsecure
)

// Execution says which workers build, and what they may. The zero value is the embedded worker.
type Execution struct {
	Workers    []WorkerAddr // none: the embedded one
	TLS        WorkerTLS    // for tcp:// addresses
	NativeOnly bool         // fail rather than emulate

	Timeout     time.Duration // of all of it; 0: none
	IdleTimeout time.Duration // of a build that says nothing, but for what its own worker waits for from a registry; 0: none

	Allow []string // entitlements that steps may ask for: AllowNetworkHost, AllowInsecure

	// NoProcessSandbox lets the embedded worker's steps see the processes around it, mtool's own too. Without it that is done
	// where it is the only way: in a container that hides parts of /proc.
	NoProcessSandbox bool

	KeepStorage int64 // bytes of the embedded worker's cache to keep; 0: a tenth of its disk, at most 20 GB
}

// WorkerAddr is a worker and what it is for.
type WorkerAddr struct {
	Addr     string       // unix://, tcp://, docker-container://, kube-pod://, podman-container://, ssh://, DockerEngine or Embedded
	Platform *v1.Platform // the only one that it builds, natively as far as is known; nil: all that it runs
}

// DockerEngine is the address of the BuildKit in Docker Engine, the engine that the docker command would use.
const DockerEngine = "docker-engine"

// Embedded is the address of the worker inside mtool.
const Embedded = "embedded"

// WorkerTLS are files, PEM; all may be empty.
type WorkerTLS struct {
	CA         string // who signs the worker's certificate; default: whom the system trusts
	Cert, Key  string // ours
	ServerName string // in the worker's certificate; default: the host of its address
}

// Used reports whether anything of it was given.
func (t WorkerTLS) Used() bool { return t != WorkerTLS{} }
