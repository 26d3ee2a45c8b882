package build

import (
	"context"
	"net"
	"time"

	"mtool/build/emulator"
	"mtool/registry"
)

// WorkerOptions is what an embedded worker is made of. StateDir is needed.
type WorkerOptions struct {
	StateDir  string           // made when missing; BuildKit's cache, below it one directory a kind of namespace
	Host      emulator.Host    // this machine; the zero value: what emulator.Detect returns
	Emulators []emulator.Found // registered in the worker's own binfmt_misc
	// HostEntries keeps the host's binfmt_misc instead of making a private one, as kernels before 6.7 must.
	HostEntries bool
	// NoProcessSandbox makes no PID namespace: steps see the processes around the worker.
	NoProcessSandbox bool
	Allow            []string // entitlements beyond the usual: AllowInsecure
	PlainHTTP        []string // registry hosts to be spoken to without TLS; loopback ones are anyway
	// SkipVerify are registry hosts whose certificates are not verified.
	SkipVerify []string
	Registries Registries
	Proxy      registry.Proxy // how they are reached
	Note       func(string)   // told what a user should know, one line each; nil: not told
}

// Entitlements that a build may have beyond the usual. A Dockerfile asks for them step by step: RUN --security=insecure.
const (
	AllowNetworkHost = "network.host"
	AllowInsecure    = "security.insecure"
)

// Worker is a running BuildKit worker; *worker.Process is one.
type Worker interface {
	// Dial connects to it, for BuildKit's client.
	Dial(ctx context.Context) (net.Conn, error)
	// NoDevices is why images can have no devices: an old kernel, a file system without extended attributes. nil: they can.
	NoDevices() error
	// Err is nil while it lives, and else how it ended.
	Err() error
	// Close ends it and everything in it.
	Close() error
}

// StartWorker makes an embedded worker; package worker has the one there is.
type StartWorker func(context.Context, WorkerOptions) (Worker, error)

// Say tells Note a line, when there is one.
func (o WorkerOptions) Say(line string) {
	if o.Note != nil {
		o.Note(line)
	}
}

// Registries say how registries are reached beyond the scheme: what registry.ClientOptions say for this program's own
// requests.
type Registries struct {
	CAFiles  []string // PEM files of authorities that are trusted for every host
	CertDirs []string // folders like /etc/docker/certs.d
	Hosts    map[string]registry.HostSettings
	Idle     time.Duration // how long a request may stand still; 0: a minute, negative: for ever
}
