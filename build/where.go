package build

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	embedded "mtool/build/worker"
)

// Entitlements that a build may have beyond the usual. A Dockerfile asks for them step by step: RUN --security=insecure.
const (
	AllowNetworkHost = "network.host"
	AllowInsecure    = embedded.AllowInsecure
)

// Where says which workers build, and what they may. The zero value is the embedded worker.
type Where struct {
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
