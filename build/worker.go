package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/grpchijack"
	"github.com/sirupsen/logrus"

	"mtool/build/emulator"
	embedded "mtool/build/worker"
	"mtool/registry/engine"
	"mtool/registry/remote"
)

// worker is a BuildKit worker that a build may use: the embedded one, or one at an address.
type worker struct {
	WorkerAddr
	host   emulator.Host  // the machine that it runs on; a guess for one at an address
	client *client.Client // nil: the embedded one, not started

	// Only for the embedded worker, once it is started.
	process   *embedded.Process
	emulators []emulator.Found

	// Only for a worker at an address.
	engine   *engine.Engine // Docker Engine, for the BuildKit in it
	runnable []v1.Platform  // its own platform first
	probes   *probes
	gateway  string // the address at which steps reach its machine; "" if it does not say
}

func (w *worker) embedded() bool { return w.Addr == Embedded }

// String returns the worker's name for messages.
func (w *worker) String() string {
	if w.embedded() {
		return "the embedded worker"
	}
	return fmt.Sprintf("worker %q", w.Addr)
}

// buildMachine returns the platform that a Dockerfile knows as BUILDPLATFORM.
func (w *worker) buildMachine() v1.Platform {
	if w.embedded() {
		return buildPlatform(w.host)
	}
	return w.runnable[0]
}

// start starts the embedded worker and connects to it.
func (w *worker) start(ctx context.Context, o embedded.Options) (err error) {
	if w.process, err = embedded.Start(ctx, o); err != nil {
		return err
	}
	w.emulators = o.Emulators
	if w.client, err = connectProcess(ctx, w.process); err != nil {
		return errors.Join(err, w.close())
	}
	return nil
}

// connectProcess returns a client of an embedded worker. It sends nothing yet.
//
// BuildKit's packages log through logrus's global logger. Its warnings are about normal conditions (a file system
// without fs-verity), so this silences them.
func connectProcess(ctx context.Context, p *embedded.Process) (*client.Client, error) {
	logrus.SetLevel(logrus.ErrorLevel)
	return client.New(ctx, "unix:///embedded",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return p.Dial(ctx)
		}))
}

// close ends the connection, and the embedded worker.
func (w *worker) close() error {
	var errs []error
	if w.client != nil {
		errs = append(errs, w.client.Close())
	}
	if w.engine != nil {
		errs = append(errs, w.engine.Close())
	}
	if w.process != nil {
		errs = append(errs, w.process.Close())
	}
	w.client, w.engine, w.process = nil, nil, nil
	return errors.Join(errs...)
}

func closeAll(workers []*worker) error {
	var errs []error
	for _, w := range workers {
		if w != nil {
			errs = append(errs, w.close())
		}
	}
	return errors.Join(errs...)
}

// err returns how the embedded worker ended; nil while it runs, and for a remote worker.
func (w *worker) err() error {
	if w.process == nil {
		return nil
	}
	return w.process.Err()
}

// noDevices returns why images built there can't have devices; nil if they can, as far as is known.
func (w *worker) noDevices() error {
	if w.process == nil {
		return nil
	}
	return w.process.NoDevices()
}

// sessions returns the dialer for sessions with the worker.
func (w *worker) sessions() session.Dialer {
	if w.engine != nil {
		return engineSession(w.engine)
	}
	return grpchijack.Dialer(w.client.ControlClient())
}

// engineSession begins sessions with the BuildKit in e.
func engineSession(e *engine.Engine) session.Dialer {
	return func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
		return e.Dial(ctx, "/session", proto, meta)
	}
}

// emulator returns QEMU's name of the emulator for a platform's programs there, "" for the processor itself. It is
// probed if possible, else guessed from the worker's platforms.
func (w *worker) emulator(target v1.Platform) string {
	if w.embedded() {
		return emulatorOn(w.host, target)
	}
	seen := unproved
	if w.probes != nil && runsOn(w.runnable, target) {
		seen = w.probes.of(target)
	}
	switch {
	case seen == native, seen == unproved && w.Platform != nil: // then the user says so
		return ""
	case seen == emulated:
		e, _ := emulator.ByArch(target.Architecture)
		return e.Name
	}
	return emulatorOn(w.host, target)
}

// howRun returns the emulator of the steps that n requires, "" if all are native, and whether there are any.
func (w *worker) howRun(n requirements) (emulator string, any bool) {
	for _, run := range n.Runs {
		emulator = cmp.Or(emulator, w.emulator(run))
	}
	return emulator, len(n.Runs) > 0
}

// version returns the version of an emulator, "" if unknown. It is looked up only for messages about a failure.
func (w *worker) version(name string) string {
	for _, f := range w.emulators {
		if f.Name == name {
			return emulator.Version(context.Background(), f.Path)
		}
	}
	return ""
}

// proxy returns the proxies for steps: this machine's own are only for the embedded worker. A provenance of mode max
// contains every argument, so it must not get passwords.
func (w *worker) proxy(job Job) remote.Proxy {
	proxies := job.Options.Proxies
	p := proxies.Configured(w.Addr)
	switch {
	case w.embedded():
		p = proxies.Own()
	case w.engine != nil:
		p = proxies.Configured(w.engine.Host())
	}
	if p.Secret() && strings.Contains(job.Spec.Provenance, "max") {
		job.Options.say("warning: RUN steps get no proxy, since its password would be in the provenance of mode=max")
		return remote.Proxy{}
	}
	return p
}
