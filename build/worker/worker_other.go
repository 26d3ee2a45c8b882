//go:build !linux

package worker

import (
	"context"
	"errors"
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

// Try fails: this system has no namespaces.
func Try(context.Context, TryOptions) (map[string]error, error) {
	return nil, &Error{Doing: "trying emulators", Err: errors.New("emulators are Linux programs, this is " + runtime.GOOS)}
}

// Process is a running worker.
type Process struct{}

// Main does nothing here.
func Main() {}

// Start fails: BuildKit's runc worker needs Linux.
func Start(context.Context, Options) (*Process, error) {
	return nil, &Error{
		Doing: "starting the worker", Err: errors.New("the embedded worker needs Linux, this is " + runtime.GOOS),
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
