package build

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	embedded "mtool/build/worker"
)

// ErrNoWorker means that there is no worker or emulator for a platform, or that the emulator crashed.
var ErrNoWorker = embedded.ErrNoWorker

// WorkerError is a worker that can't start or can't run a platform.
type WorkerError = embedded.Error

// StepError is a step of a Dockerfile that failed.
type StepError struct {
	Platform v1.Platform
	Ran      bool     // the step runs a program of the image
	Emulator string   // QEMU's name of the architecture; "" if the program ran natively
	QEMU     string   // its version, if known
	Signal   string   // that ended the emulated program, as QEMU prints it: "11 (Segmentation fault)"; "" for none
	Step     string   // as BuildKit calls it: "[2/3] RUN make"
	Exit     int      // exit code of the step's command, -1 if it has none
	Log      []string // the last lines that the step printed, oldest first; about 20
	Excerpt  []string // lines of the Dockerfile that show the place, the first with its name; none if it is unknown
	Shown    bool     // the progress display has printed them; Error leaves them out then
	Err      error    // BuildKit's error

	help advice.Advice
}

func (e *StepError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns what failed, and the step's log if the progress display has not shown it.
func (e *StepError) Lines() []string {
	s := fmt.Sprintf("building %s: step %q failed", e.Platform.String(), e.Step)
	switch {
	case e.Signal != "":
		s += ": QEMU reports an uncaught target signal " + e.Signal
	case e.Exit >= 0:
		s += fmt.Sprintf(" with exit code %d", e.Exit)
	default:
		s += ": " + e.Err.Error()
	}
	switch {
	case e.Emulator != "":
		s += fmt.Sprintf(" (emulated by %s)", strings.TrimSpace("qemu-"+e.Emulator+" "+e.QEMU))
	case e.Ran:
		s += " (run natively)"
	}
	lines := []string{s}
	if len(e.Log) > 0 && !e.Shown {
		lines[0] += ", after printing:"
		for _, line := range e.Log {
			lines = append(lines, "  "+line)
		}
	}
	return append(lines, e.Excerpt...)
}

func (e *StepError) Unwrap() error { return e.Err }

// Crashed reports whether a signal such as SIGSEGV ended an emulated step. Either the program or the emulator may be
// to blame; the emulator is more likely.
func (e *StepError) Crashed() bool {
	if e.Signal != "" {
		return true
	}
	const ill, trap, abrt, bus, segv = 128 + 4, 128 + 5, 128 + 6, 128 + 7, 128 + 11
	switch e.Exit {
	case ill, trap, abrt, bus, segv:
		return e.Emulator != ""
	}
	return false
}

// Is makes a crash under emulation an ErrNoWorker.
func (e *StepError) Is(target error) bool { return target == ErrNoWorker && e.Crashed() }

// Advised returns what would help.
func (e *StepError) Advised() advice.Advice {
	if e.Crashed() {
		return advice.Of(advice.NewerQEMU)
	}
	return e.help
}

// placeError means that a directory for mtool's files can't be written.
type placeError struct{ error }

func (e *placeError) Unwrap() error { return e.error }

// Hint is the next action.
func (e *placeError) Hint() string { return "MTOOL_HOME=DIR names another place for mtool's files" }
