package worker

import (
	"errors"

	"mtool/build/advice"
)

// ErrNoWorker means that there is no worker or emulator for a platform, or that the emulator crashed.
var ErrNoWorker = errors.New("no worker for the platform")

// Error means that a worker can't start or can't run a platform. It is an ErrNoWorker, and wraps the cause.
type Error struct {
	Doing string // gerund and object: `starting the worker`
	Err   error
	advice.Advice
}

func (e *Error) Error() string { return e.Doing + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Is makes it an ErrNoWorker.
func (e *Error) Is(target error) bool { return target == ErrNoWorker }

// failure is why a child can't be a worker. It is sent to another process, so it is plain data.
type failure struct {
	Doing  string // gerund and object
	Why    string
	Denied bool // the kernel refused with EPERM or EACCES
	Masked bool // it refused a new /proc, and nothing before that
	Advice advice.Advice
}

func (f *failure) Error() string { return f.Doing + ": " + f.Why }

// forbiddenError adds the reason to the kernel's error.
type forbiddenError struct {
	err error
	why string
}

func (e *forbiddenError) Error() string { return e.why + ": " + e.err.Error() }

func (e *forbiddenError) Unwrap() error { return e.err }
