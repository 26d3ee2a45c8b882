package build

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"

	"mtool/build/emulator"
	"mtool/inspect/platform"
)

// buildPlatform returns BUILDPLATFORM for a worker on the machine.
func buildPlatform(host emulator.Host) v1.Platform {
	return platform.Normalize(v1.Platform{OS: host.Platform.OS, Architecture: host.Platform.Architecture})
}

// emulatorOn returns QEMU's name of the emulator that a machine needs for a platform's programs; "" for the processor
// itself.
func emulatorOn(host emulator.Host, target v1.Platform) string {
	how, _ := host.Support(target)
	return how.Emulator.Name
}

// hostOf guesses the machine from the platforms that it runs, its own first: BuildKit does not say which are
// emulated. The 32-bit architecture of its own processor counts as native.
func hostOf(runnable []v1.Platform) emulator.Host {
	h := emulator.Host{Platform: runnable[0]}
	narrow := emulator.Narrow(h.Platform.Architecture)
	for _, p := range runnable {
		if p.Architecture == h.Platform.Architecture && p.Variant > h.Platform.Variant {
			h.Platform.Variant = p.Variant
		}
		if p.Architecture == narrow && len(h.Also) == 0 {
			h.Also = []string{narrow}
		}
	}
	return h
}

func runsOn(runnable []v1.Platform, want v1.Platform) bool {
	for _, r := range runnable {
		if r.Architecture == want.Architecture && platforms.Only(spec(r)).Match(spec(want)) {
			return true
		}
	}
	return false
}

// execution is how a remote worker runs the programs of a platform.
type execution int

const (
	unproved execution = iota // unknown
	native
	emulated
)

// BuildKit does not say what it emulates: a probe runs a program of a few instructions there, which prints what the
// kernel has started for it.
const (
	probePath = "/mtool-probe"
	probeWait = 20 * time.Second
)

// probes are the answers of one worker, each requested once.
type probes struct {
	ctx    context.Context //nolint:containedctx // the command's: the first caller starts a probe
	client *client.Client

	mu  sync.Mutex
	all map[string]func() execution // by architecture
}

func newProbes(ctx context.Context, c *client.Client) *probes {
	return &probes{ctx: ctx, client: c, all: map[string]func() execution{}}
}

// of probes a platform's architecture, or waits for the running probe.
func (p *probes) of(target v1.Platform) execution { return p.begin(target)() }

// begin starts a probe of a platform in the background, unless one is running.
func (p *probes) begin(target v1.Platform) func() execution {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer, ok := p.all[target.Architecture]; ok {
		return answer
	}
	answer := sync.OnceValue(func() execution { return probe(p.ctx, p.client, target) })
	p.all[target.Architecture] = answer
	go answer()
	return answer
}

func probe(ctx context.Context, c *client.Client, target v1.Platform) execution {
	program := emulator.Teller(target.Architecture)
	if program == nil || target.OS != "linux" {
		return unproved
	}
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	state := llb.Scratch().File(llb.Mkfile(probePath, 0o755, program)).Run(
		llb.Args([]string{probePath}), llb.Network(llb.NetModeNone), llb.IgnoreCache,
		llb.WithCustomName(fmt.Sprintf("[mtool] how are programs for %s run?", platform.Format(target))))
	definition, err := state.Marshal(ctx, llb.Platform(spec(target)))
	if err != nil {
		return unproved
	}
	status := make(chan *client.SolveStatus)
	var said bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range status {
			for _, l := range s.Logs {
				said.Write(l.Data)
			}
		}
	}()
	_, err = c.Solve(ctx, definition, client.SolveOpt{Internal: true}, status)
	<-done
	switch {
	case err != nil || said.Len() == 0:
		return unproved
	case said.String() == probePath:
		return native
	}
	return emulated
}
