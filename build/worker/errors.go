package worker

import (
	"errors"

	"mtool/build/advice"
)

// ErrNoWorker means that there is no worker or emulator for a platform, or that the emulator crashed.
var ErrNoWorker = errors.New("no worker for it")

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
