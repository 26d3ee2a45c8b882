package build

import (
	"context"
	"fmt"
	"time"

	"mtool/registry"
)

const (
	pulseEvery = 5 * time.Second
	pulseWait  = 20 * time.Second // a machine that is short of memory may take that long
)

// pulse asks a worker elsewhere now and then whether it is still there, and ends the solve when it does not answer. A link
// that goes down says nothing, and TCP tries again for a quarter of an hour. Keep-alive messages of gRPC would do, but
// buildkitd takes them for an attack when they come more often than every five minutes.
func (w *worker) pulse(ctx context.Context, stop context.CancelCauseFunc) {
	if w.embedded() {
		return
	}
	for pause(ctx, pulseEvery) {
		short, cancel := context.WithTimeout(ctx, pulseWait)
		_, err := w.client.ListWorkers(short)
		late := short.Err() != nil
		cancel()
		if err != nil && late && ctx.Err() == nil {
			stop(&silentError{
				addr: w.Addr, err: err, kind: registry.ErrUnavailable,
				why:  fmt.Sprintf("it stopped answering in the middle, and said nothing for %s", pulseWait),
				next: "is the machine up, and the network between? mtool workers asks again",
			})
			return
		}
	}
}
