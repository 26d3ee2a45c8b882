package build

import (
	"context"
	"runtime/debug"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"golang.org/x/sync/errgroup"

	"mtool/build/emulator"
	embedded "mtool/build/worker"
	"mtool/inspect/platform"
)

// Sight is a worker as it is seen from here.
type Sight struct {
	WorkerAddr
	Version          string        // BuildKit's; "" where it does not say
	Native, Emulated []v1.Platform // as a probe has found, where one could be run
	Guessed          []v1.Platform // those of both that are a guess: BuildKit does not say what it emulates
	Latency          time.Duration // of one question; of the embedded one, the time to start it
	Err              error
}

// Look asks every worker of w what it is, all at once; the embedded one is started for that and ended, and none is given
// means it alone. A worker that does not answer is a Sight with an error.
func Look(ctx context.Context, w Where, o Options) []Sight {
	addrs := w.Workers
	if len(addrs) == 0 {
		addrs = []WorkerAddr{{Addr: Embedded}}
	}
	all := make([]Sight, len(addrs))
	var group errgroup.Group
	for i, a := range addrs {
		group.Go(func() error {
			if a.Addr == Embedded {
				all[i] = lookInside(ctx, o)
			} else {
				all[i] = lookAt(ctx, a.Addr, w.TLS)
			}
			all[i].WorkerAddr = a
			return nil
		})
	}
	_ = group.Wait() // each says its own error
	return all
}

// lookInside starts the embedded worker with every emulator that there is.
func lookInside(ctx context.Context, o Options) (seen Sight) {
	host := emulator.Detect()
	var found []emulator.Found
	for _, row := range emulator.Survey(ctx, host, o.EmulatorsDir, nil) {
		if row.How == emulator.Emulated {
			found = append(found, row.Found)
		}
	}
	begun := time.Now()
	w, err := embedded.Start(ctx, embedded.Options{StateDir: o.StateDir, Host: host, Emulators: found, Note: o.Note})
	if err != nil {
		return Sight{Err: err}
	}
	defer func() {
		if err := w.Close(); seen.Err == nil {
			seen.Err = err
		}
	}()
	c, err := Connect(ctx, "", w.Dial, WorkerTLS{})
	if err != nil {
		return Sight{Err: err}
	}
	defer c.Close() //nolint:errcheck // nothing is in flight
	seen = see(ctx, c, Embedded, func([]v1.Platform) emulator.Host { return host }, nil)
	seen.Latency, seen.Version = time.Since(begun), embeddedVersion()
	return seen
}

// embeddedVersion is that of the BuildKit which this program is built with; BuildKit itself knows it in its own binaries only.
func embeddedVersion() string {
	info, _ := debug.ReadBuildInfo()
	for i := 0; info != nil && i < len(info.Deps); i++ {
		if d := info.Deps[i]; d.Path == "github.com/moby/buildkit" {
			return d.Version
		}
	}
	return ""
}

func lookAt(ctx context.Context, addr string, tls WorkerTLS) Sight {
	s, err := contact(ctx, WorkerAddr{Addr: addr}, tls)
	defer hangUp([]site{s}) //nolint:errcheck // nothing is in flight
	if err != nil {
		return Sight{Err: err}
	}
	return see(ctx, s.client, addr, hostOf, s.probes)
}

func see(ctx context.Context, c *client.Client, addr string, hostOf func([]v1.Platform) emulator.Host, p *probes) Sight {
	var seen Sight
	runnable, err := ask(ctx, c, addr, false) // makes the connection; the next question tells the latency
	if err != nil {
		return Sight{Err: err}
	}
	begun := time.Now()
	if info, err := c.Info(ctx); err == nil { // since BuildKit 0.11
		seen.Version = info.BuildkitVersion.Version
	}
	seen.Latency = time.Since(begun)
	seen.sort(runnable, hostOf(runnable), p)
	return seen
}

// sort tells the native ones from the emulated.
func (s *Sight) sort(runnable []v1.Platform, host emulator.Host, p *probes) {
	for _, r := range runnable {
		if p != nil {
			p.begin(r)
		}
	}
	for _, r := range runnable {
		same := func(other v1.Platform) bool { return platform.Equal(other, r) }
		if slices.ContainsFunc(s.Native, same) || slices.ContainsFunc(s.Emulated, same) {
			continue
		}
		way, err := host.Of(r)
		runs := err == nil && way.Native
		if p != nil {
			switch p.of(r) {
			case native:
				runs = true
			case emulated:
				runs = false
			default:
				s.Guessed = append(s.Guessed, r)
			}
		}
		if runs {
			s.Native = append(s.Native, r)
		} else {
			s.Emulated = append(s.Emulated, r)
		}
	}
}
