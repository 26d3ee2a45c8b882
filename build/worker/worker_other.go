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
	return nil, Available()
}

// Process is a running worker.
type Process struct{}

// Main does nothing here.
func Main() {}

// Start fails.
func Start(context.Context, Options) (*Process, error) {
	return nil, Available()
}

// Available returns why this program has no worker: BuildKit's needs Linux, and does not compile for mips64le.
func Available() error {
	return &Error{
		Doing:  "starting the worker",
		Err:    fmt.Errorf("mtool has no worker of its own on %s/%s", runtime.GOOS, runtime.GOARCH),
		Advice: advice.Of(advice.OtherWorker),
	}
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

// CheckCache returns nil: there is no worker that could use a cache.
func CheckCache(string, map[string]string) error { return nil }
