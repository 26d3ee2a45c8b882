package build

import (
	"context"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
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
	Fetched    bool                      // Context was made for this build: workers' copies of it are not recorded
	Entries    map[string]snapshot.Entry // the archive's headers, if Context came as an archive
	VCS        map[string]string         // of the repository that Context was fetched from, for provenance
	Dockerfile string                    // default: Dockerfile, dockerfile or Containerfile in Context; may be outside
	Target     string                    // default: the last stage

	DockerfileLinked bool // set by Run if Dockerfile is a link outside of Context: then no error quotes its text

	Platforms []v1.Platform
	Optional  []v1.Platform // those of Platforms that may fail without the others
	BuildArgs map[string]string
	Labels    map[string]string
	NoCache   bool
	Name      func(v1.Platform) registry.Ref // the name of each image in the store; nil: no image, Exports only
	Progress  string                         // auto (default), plain, tty, rawjson or quiet
	Out       io.Writer                      // where progress goes; default: nowhere
	Execution
	SpecOptions

	several      bool              // platforms are built, of which Platforms may be those that are left
	fingerprints map[string]string // by platform, where they are known
}

// ofSeveral reports whether the build is of several platforms, whether or not others are still to be built.
func (s Spec) ofSeveral() bool { return s.several || len(s.Platforms) > 1 }

// Options say where a build finds and puts things.
type Options struct {
	StateDir     string       // the embedded worker's state, BuildKit's cache
	EmulatorsDir string       // where QEMU binaries are looked for, before PATH
	Store        *store.Store // finds base images, takes the results
	// Draft opens a list that is not published yet, and reports whether there is one. It may be nil.
	Draft       func(context.Context, registry.Ref) (registry.Object, bool, error)
	Credentials *login.Credentials // for base images in registries; nil: none
	Client      *remote.Client     // looks up base images before anything runs; nil: only the worker does
	Registries  remote.Settings    // how to reach them, for the embedded worker; Client has its own
	Proxies     remote.Proxies     // how addresses are reached by the embedded worker, and by RUN steps
	Note        func(advice.Note)  // called with remarks for the user, one line each; may be nil
	// Verify is called for each image before any of them is stored; its error ends the build. It may be nil.
	Verify func(ctx context.Context, p v1.Platform, image registry.Object) error
	Solver Solver // nil: BuildKit
	// Reuse is an image or list that was published before: an image of it is taken instead of built if it was built from
	// the same. One without a Root does not exist yet; nil: everything is built.
	Reuse *registry.Object
}

// say calls Note with a remark without advice, if there is one.
func (o Options) say(text string) {
	if o.Note != nil {
		o.Note(advice.Note{Text: text})
	}
}

// Solver executes builds, as BuildKit does.
type Solver interface {
	// Solve builds every platform of job.Spec at once and exports platform number i as an OCI layout. An optional one
	// that fails has Layout.Err instead. Nothing that it started is left when it returns.
	Solve(ctx context.Context, job Job) ([]Layout, error)
}

// Job is the input of a Solver: a Spec whose paths are absolute and exist, and whose defaults are set.
type Job struct {
	Spec    Spec
	Options Options
	Dir     string // an empty directory for the job, on the store's file system; removed after the import
}

// SpecOptions are further options of BuildKit and the Dockerfile.
type SpecOptions struct {
	Strict  bool // warnings about the Dockerfile are errors
	Discard bool // report what was built, and store nothing

	// Contexts are named build contexts, which replace images and stages of these names: a directory,
	// docker-image://NAME, oci-layout://DIR[:TAG], store:NAME, or the address of a Git repository or of a file.
	Contexts map[string]string
	Secrets  []Secret // for RUN --mount=type=secret
	SSH      []SSH    // for RUN --mount=type=ssh

	AddHosts     []string // HOST=IP, for RUN steps
	Network      string   // of RUN steps: "" and default: the worker's; none; host; NetworkSandbox
	Ulimits      []string // NAME=SOFT[:HARD]
	ShmSize      int64    // of /dev/shm, bytes; 0: 64 MiB
	CgroupParent string   // where the worker has cgroups

	Pull          bool     // look up every base image in the registry, even if the store has that name
	SkipDevices   bool     // leave out block and character devices of contexts and exported files
	NoCacheStages []string // stages whose steps are run again
	CacheFrom     []string // type=registry,ref=…; type=local,src=…; or a reference
	CacheTo       []string // type=registry,ref=…; type=local,dest=…; type=inline; or a reference

	Annotations map[string]string // of the image's manifest
	Syntax      string            // the frontend: "" and auto: what "# syntax=" says; builtin; or an image
	Provenance  string            // "" and false: none; true, mode=min, mode=max …
	SBOM        string            // "": none; generator=IMAGE …
	Exports     []Export          // files of the image, in addition to the image itself
}

// Secret is a value that steps may read and no layer contains.
type Secret struct{ ID, File, Env string } // one of File and Env

// SSH is an agent's socket, or private keys.
type SSH struct {
	ID    string // default: "default"
	Paths []string
}

// Export writes the files of an image into a directory or an archive. Each of several platforms gets its own
// directory (linux_arm64).
type Export struct {
	Dir     string    // a directory, or
	Archive io.Writer // an archive of one platform
	Type    string    // of the archive: tar, or the whole image as oci or docker (what docker save writes)
	Name    string    // of the image in the archive
}

// NetworkSandbox requires that each step of the embedded worker has a network of its own. Other workers choose
// themselves.
const NetworkSandbox = "sandbox"

// Entitlements that a build may have. A Dockerfile requests them for a step: RUN --security=insecure.
const (
	AllowNetworkHost = "network.host"
	AllowInsecure    = embedded.AllowInsecure
)

// Execution says which workers build, and what they may do. The zero value is the embedded worker.
type Execution struct {
	Workers    []WorkerAddr // none: the embedded one
	TLS        WorkerTLS    // for tcp:// addresses
	NativeOnly bool         // fail rather than emulate

	Timeout     time.Duration // of all of it; 0: none
	IdleTimeout time.Duration // of a silent build, except while the embedded worker waits for a registry; 0: none

	// MaxParallelism is how many platforms are built at the same time, and how many steps in the embedded worker; 0: all
	// platforms, and a step for each processor.
	MaxParallelism int

	Allow []string // entitlements that steps may request: AllowNetworkHost, AllowInsecure

	// NoProcessSandbox lets the embedded worker's steps see the processes around it, including mtool's. Otherwise that
	// happens only if it is the only way: in a container that hides parts of /proc.
	NoProcessSandbox bool

	KeepStorage int64 // bytes of the embedded worker's cache to keep; 0: a tenth of its disk, at most 20 GB
}

// WorkerAddr is a worker and the platform that it is for.
type WorkerAddr struct {
	// unix://, tcp://, docker-container://, kube-pod://, podman-container://, ssh://, DockerEngine or Embedded
	Addr     string
	Platform *v1.Platform // the only one that it builds, presumably natively; nil: all that it runs
}

// DockerEngine is the address of the BuildKit in the Docker Engine that the docker command would use.
const DockerEngine = "docker-engine"

// Embedded is the address of the worker inside mtool.
const Embedded = "embedded"

// WorkerTLS are files, PEM; all may be empty.
type WorkerTLS struct {
	CA         string // authorities for the worker's certificate; default: the system's
	Cert, Key  string // the client's
	ServerName string // in the worker's certificate; default: the host of its address
}

// Used reports whether any field is set.
func (t WorkerTLS) Used() bool { return t != WorkerTLS{} }
