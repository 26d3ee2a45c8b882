//go:build !linux || mips64le

package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"

	"mtool/build/advice"
	"mtool/build/emulator"
)

// TryOptions configure Try.
type TryOptions struct {
	Archs       []string
	Emulators   []emulator.Found
	HostEntries bool
}

// Try fails.
func Try(context.Context, TryOptions) (map[string]error, error) {
	return nil, &Error{Doing: "trying emulators", Err: errNoWorker()}
}

// Process is a running worker.
type Process struct{}

// Main does nothing here.
func Main() {}

// Start fails.
func Start(context.Context, Options) (*Process, error) {
	return nil, &Error{Doing: "starting the worker", Err: errNoWorker(), Advice: advice.Of(advice.OtherWorker)}
}

// errNoWorker is why there is no worker: BuildKit's needs Linux, and does not compile for mips64le.
func errNoWorker() error {
	return fmt.Errorf("the embedded worker does not run on %s/%s", runtime.GOOS, runtime.GOARCH)
}

// MoreIDs returns "".
func MoreIDs(int64) string { return "" }

// Dial fails.
func (p *Process) Dial(context.Context) (net.Conn, error) { return nil, errors.ErrUnsupported }

// NoDevices returns nil.
func (p *Process) NoDevices() error { return nil }

// Err returns nil.
func (p *Process) Err() error { return nil }

// Close does nothing.
func (p *Process) Close() error { return nil }
