package build

import (
	"context"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"

	"mtool/build/emulator"
	embedded "mtool/build/worker"
	"mtool/inspect/platform"
	"mtool/registry/engine"
	"mtool/registry/remote"
)

// machine is a worker with a connection to it.
type machine struct {
	name    string // its address; "" for the embedded one
	client  *client.Client
	engine  *engine.Engine // set when it is the BuildKit in one
	session session.Dialer // how a session is begun there; nil: over client
	// emulator names what runs a platform's programs, "" when they run natively.
	emulator  func(v1.Platform) string
	qemu      func(emulator string) string // the version of one; nil: not known
	noDevices error                        // why it makes no devices; nil: it does, as far as is known
	err       func() error                 // how the worker ended, nil while it lives
	close     func() error
}

// proxy is what steps there get: this machine's own proxies are for the worker here only. A provenance of mode max holds
// every argument, and passwords do not belong there.
func (m *machine) proxy(job Job) remote.Proxy {
	proxies := job.Options.Proxies
	p := proxies.Configured(m.name)
	switch {
	case m.name == "":
		p = proxies.Own()
	case m.engine != nil:
		p = proxies.Configured(m.engine.Host())
	}
	if p.Secret() && strings.Contains(job.Spec.Provenance, "max") {
		job.Options.Say("warning: RUN steps get no proxy, since its password would be in the provenance of mode=max")
		return remote.Proxy{}
	}
	return p
}

// plan is what is known before anything is started or sent, one member for each platform.
type plan struct {
	needs  []needs
	bases  [][]local
	remote map[string]asked // by the base's source
}

// newPlan reads what each platform needs and finds the bases that the store has.
func newPlan(ctx context.Context, job Job, d *dockerfile, buildMachine v1.Platform) (plan, error) {
	var p plan
	for _, target := range job.Spec.Platforms {
		n, err := d.needs(question{Target: job.Spec.Target, For: target, BuildMachine: buildMachine, BuildArgs: job.Spec.BuildArgs, Contexts: contextKeys(job.Spec.Contexts)})
		if err != nil {
			return p, err
		}
		bases, err := localBases(ctx, job, n.Bases)
		if err != nil {
			return p, fmt.Errorf("building %s: %w", platform.Format(target), err)
		}
		if err := checkSecrets(job.Spec.Secrets, n.Secrets); err != nil {
			return p, err
		}
		p.needs = append(p.needs, n)
		p.bases = append(p.bases, bases)
	}
	if err := sayLint(job, d.lint(job.Spec.Platforms, p.needs)); err != nil {
		return p, err
	}
	var err error
	p.remote, err = askRegistries(ctx, job, p)
	return p, err
}

// runs reports whether some step will be run.
func (p plan) runs() bool {
	for _, n := range p.needs {
		if len(n.Runs) > 0 {
			return true
		}
	}
	return false
}

// embedded starts a worker of our own, with the emulators that the plan needs; with forecast it only sees that it could.
func startEmbedded(ctx context.Context, host emulator.Host, job Job, d *dockerfile, forecast bool) (*machine, plan, error) {
	p, err := newPlan(ctx, job, d, own(host))
	if err != nil {
		return nil, p, err
	}
	m := &machine{emulator: emulates(host), err: func() error { return nil }, close: func() error { return nil }}
	if job.Spec.NativeOnly {
		if err := nativeOnly("", m.emulator, p); err != nil {
			return nil, p, err
		}
	}
	emulators, err := chooseEmulators(host, job, p, func(e emulator.Emulator, dir string) (emulator.Found, error) {
		return emulator.FindOrHost(e, dir, emulator.ReadEntries(emulator.Dir))
	})
	if err != nil || forecast {
		return m, p, err
	}
	if job.Spec.CgroupParent != "" {
		job.Options.Say("--cgroup-parent is left out: mtool's own worker makes no control groups")
	}
	w, err := embedded.Start(ctx, embedded.Options{
		StateDir: job.Options.StateDir, Host: host, Emulators: emulators, Allow: job.Spec.Allow, NoProcessSandbox: job.Spec.NoProcessSandbox,
		PlainHTTP: job.Options.PlainHTTP, SkipVerify: job.Options.SkipVerify, Registries: job.Options.Registries, Note: job.Options.Note,
		Proxy: job.Options.Proxies.Own(),
	})
	if err != nil {
		return nil, p, err
	}
	c, err := Connect(ctx, "", w.Dial, WorkerTLS{})
	if err != nil {
		return nil, p, errors.Join(err, w.Close())
	}
	m.client, m.err, m.qemu, m.noDevices = c, w.Err, versions(emulators), w.NoDevices()
	m.close = func() error { return errors.Join(c.Close(), w.Close()) }
	return m, p, nil
}

// version of an emulator, "" where it is not known.
func (m *machine) version(emulator string) string {
	if m.qemu == nil || emulator == "" {
		return ""
	}
	return m.qemu(emulator)
}

// versions asks only when a version is wanted: for a message about a failure.
func versions(found []emulator.Found) func(string) string {
	return func(name string) string {
		for _, f := range found {
			if f.Name == name {
				return emulator.Version(context.Background(), f.Path)
			}
		}
		return ""
	}
}

// chooseEmulators finds one for each foreign platform. It may be missing where the Dockerfile runs nothing for it.
func chooseEmulators(host emulator.Host, job Job, p plan, find func(emulator.Emulator, string) (emulator.Found, error)) ([]emulator.Found, error) {
	var all []emulator.Found
	seen := map[string]bool{}
	add := func(target v1.Platform, needed bool) error {
		way, err := host.Of(target)
		if err != nil || way.Native || seen[way.Emulator.Name] {
			return cantRun(target, err, needed)
		}
		f, err := find(way.Emulator, job.Options.EmulatorsDir)
		if err != nil {
			return cantRun(target, err, needed)
		}
		seen[way.Emulator.Name] = true
		all = append(all, f)
		return nil
	}
	for i, target := range job.Spec.Platforms {
		for _, run := range p.needs[i].Runs {
			if err := add(run, true); err != nil {
				return nil, err
			}
		}
		if err := add(target, false); err != nil { // for ONBUILD steps of its base images
			return nil, err
		}
	}
	return all, nil
}

func cantRun(target v1.Platform, err error, needed bool) error {
	if err == nil || !needed {
		return nil
	}
	e := &WorkerError{Doing: "building " + platform.Format(target), Err: err, Next: "use a worker that runs it: --worker ADDRESS"}
	if missing := (*emulator.MissingError)(nil); errors.As(err, &missing) {
		e.Next = missing.Hint()
	}
	return e
}

// external plans for a worker that the user named, and sees that it runs what is to be run.
func external(ctx context.Context, at site, job Job, d *dockerfile) (*machine, plan, error) {
	p, err := newPlan(ctx, job, d, at.runnable[0])
	if err == nil {
		err = allRun(at.Addr, at.runnable, p)
	}
	if err == nil && at.engine != nil {
		err = beyondEngine(job.Spec)
	}
	for _, n := range p.needs { // while the rest is made ready
		for _, run := range n.Runs {
			at.probes.begin(run)
		}
	}
	if err == nil && job.Spec.NativeOnly {
		err = nativeOnly(fmt.Sprintf("worker %q", at.Addr), at.emulator, p)
	}
	if err != nil {
		return nil, p, err
	}
	end := func() error { return hangUp([]site{at}) }
	m := &machine{name: at.Addr, client: at.client, engine: at.engine, emulator: at.emulator, err: func() error { return nil }, close: end}
	if at.engine != nil {
		m.session = engineSession(at.engine)
	}
	return m, p, nil
}

func allRun(addr string, runnable []v1.Platform, p plan) error {
	var names []string
	for _, r := range runnable {
		names = append(names, platform.Format(r))
	}
	for _, n := range p.needs {
		for _, run := range n.Runs {
			if !runsOn(runnable, run) {
				return &WorkerError{
					Doing: "building " + platform.Format(run),
					Err:   fmt.Errorf("worker %q runs only %s", addr, strings.Join(names, ", ")),
					Next:  "install an emulator there, or leave --worker out: mtool then starts a worker with its own",
				}
			}
		}
	}
	return nil
}
