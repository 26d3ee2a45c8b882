package build

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/build/emulator"
	embedded "mtool/build/worker"
	"mtool/inspect/platform"
)

// WorkerInfo describes a worker.
type WorkerInfo struct {
	WorkerAddr
	Version          string        // BuildKit's; "" if unknown
	Native, Emulated []v1.Platform // as probed, if possible
	Guessed          []v1.Platform // those of both that are guessed: BuildKit does not say what it emulates
	Latency          time.Duration // of one question; of the embedded one, the time to start it
	Err              error
}

// CheckEmbedded returns nil if this program has a worker of its own, or why it has none.
func CheckEmbedded() error { return embedded.Available() }

// Workers queries every worker of where, all at once; without any, the embedded one, which is started and stopped for
// that. A worker that does not answer is a WorkerInfo with an error.
func Workers(ctx context.Context, where Execution, o Options) []WorkerInfo {
	addrs := where.Workers
	if len(addrs) == 0 {
		addrs = []WorkerAddr{{Addr: Embedded}}
	}
	all := make([]WorkerInfo, len(addrs))
	var group errgroup.Group
	for i, a := range addrs {
		group.Go(func() error {
			if a.Addr == Embedded {
				all[i] = embeddedInfo(ctx, o)
			} else {
				all[i] = remoteInfo(ctx, a.Addr, where.TLS)
			}
			all[i].WorkerAddr = a
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	return all
}

// embeddedInfo starts the embedded worker with every available emulator.
func embeddedInfo(ctx context.Context, o Options) WorkerInfo {
	w := &worker{WorkerAddr: WorkerAddr{Addr: Embedded}, host: emulator.Detect()}
	var found []emulator.Found
	for _, row := range emulator.Survey(ctx, w.host, o.EmulatorsDir, nil) {
		if row.How == emulator.Emulated {
			found = append(found, row.Found)
		}
	}
	start := time.Now()
	if err := w.start(ctx,
		embedded.Options{StateDir: o.StateDir, Host: w.host, Emulators: found, Note: o.Note}); err != nil {
		return WorkerInfo{Err: err}
	}
	info := w.info(ctx)
	info.Latency, info.Version = time.Since(start), embeddedVersion()
	info.Err = errors.Join(info.Err, w.close())
	return info
}

// embeddedVersion returns the version of the linked BuildKit; BuildKit itself knows it only in its own binaries.
func embeddedVersion() string {
	info, _ := debug.ReadBuildInfo()
	for i := 0; info != nil && i < len(info.Deps); i++ {
		if d := info.Deps[i]; d.Path == "github.com/moby/buildkit" {
			return d.Version
		}
	}
	return ""
}

func remoteInfo(ctx context.Context, addr string, tls WorkerTLS) WorkerInfo {
	w, err := connect(ctx, WorkerAddr{Addr: addr}, tls)
	if err != nil {
		return WorkerInfo{Err: err}
	}
	defer w.close() //nolint:errcheck // nothing is in flight
	w.probes = newProbes(ctx, w.client)
	return w.info(ctx)
}

// info queries a connected worker.
func (w *worker) info(ctx context.Context) (info WorkerInfo) {
	runnable, _, err := ask(ctx, w.client, w.Addr, false) // makes the connection; the next question measures the latency
	if err != nil {
		return WorkerInfo{Err: err}
	}
	start := time.Now()
	if answer, err := w.client.Info(ctx); err == nil { // since BuildKit 0.11
		info.Version = answer.BuildkitVersion.Version
	}
	info.Latency = time.Since(start)
	info.sort(runnable, w.host, w.probes)
	return info
}

// sort separates native and emulated platforms.
func (i *WorkerInfo) sort(runnable []v1.Platform, host emulator.Host, p *probes) {
	for _, r := range runnable {
		if p != nil {
			p.begin(r)
		}
	}
	for _, r := range runnable {
		same := func(other v1.Platform) bool { return platform.Equal(other, r) }
		if slices.ContainsFunc(i.Native, same) || slices.ContainsFunc(i.Emulated, same) {
			continue
		}
		how, err := host.Support(r)
		runs := err == nil && how.Native
		if p != nil {
			switch p.of(r) {
			case native:
				runs = true
			case emulated:
				runs = false
			default:
				i.Guessed = append(i.Guessed, r)
			}
		}
		if runs {
			i.Native = append(i.Native, r)
		} else {
			i.Emulated = append(i.Emulated, r)
		}
	}
}
