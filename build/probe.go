package build

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"

	"mtool/build/emulator"
	"mtool/inspect/platform"
)

// way is how a worker elsewhere runs a platform's programs.
type way int

const (
	unproved way = iota // it could not be seen
	native
	emulated
)

// BuildKit does not say what it emulates: a probe runs a program of a few instructions there, which prints what the kernel
// has started for it.
const (
	probePath = "/mtool-probe"
	probeWait = 20 * time.Second
)

// probes are the answers of one worker, each asked for once.
type probes struct {
	ctx    context.Context //nolint:containedctx // the command's: a probe is begun by who first asks
	client *client.Client

	mu  sync.Mutex
	all map[string]func() way // by architecture
}

func newProbes(ctx context.Context, c *client.Client) *probes {
	return &probes{ctx: ctx, client: c, all: map[string]func() way{}}
}

// of probes a platform's architecture, or waits for who does.
func (p *probes) of(target v1.Platform) way { return p.begin(target)() }

// begin probes a platform in the background, when nobody does yet.
func (p *probes) begin(target v1.Platform) func() way {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer, ok := p.all[target.Architecture]; ok {
		return answer
	}
	answer := sync.OnceValue(func() way { return probe(p.ctx, p.client, target) })
	p.all[target.Architecture] = answer
	go answer()
	return answer
}

func probe(ctx context.Context, c *client.Client, target v1.Platform) way {
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
