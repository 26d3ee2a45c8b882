package build

import (
	"errors"
	"fmt"
	"testing"

	gateway "github.com/moby/buildkit/frontend/gateway/pb"
)

// TestExitCode: what a command ended with is told from what kept it from starting, by type and by words.
func TestExitCode(t *testing.T) {
	t.Parallel()
	unknown := uint32(gateway.UnknownExitStatus)
	for name, c := range map[string]struct {
		err   error
		want  int
		ended bool
	}{
		"by type":        {fmt.Errorf("solving: %w", &gateway.ExitError{ExitCode: 7}), 7, true},
		"its own 255":    {fmt.Errorf("process: %w", fmt.Errorf("did not complete: %w", &gateway.ExitError{ExitCode: unknown})), 255, true},
		"not started":    {&gateway.ExitError{ExitCode: unknown, Err: errors.New("unable to start container process")}, 0, false},
		"by words":       {errors.New("executor failed running [/app exit code: 3]: exit code: 9"), 9, true},
		"no code":        {errors.New("executor failed running [/app]: exit code: none"), 0, false},
		"something else": {errors.New("not found"), 0, false},
	} {
		if got, ended := exitCode(c.err); got != c.want || ended != c.ended {
			t.Errorf("%s: %d, %v, want %d, %v (%v)", name, got, ended, c.want, c.ended, c.err)
		}
	}
}
