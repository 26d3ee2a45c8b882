package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Trial is a command to run in an image, with what the image's config states for its programs.
type Trial struct {
	Image   Image
	From    registry.Ref // where the image was found
	Command []string     // what is executed, the program first
	Env     []string
	Dir     string // "" is the root
	User    string // "" is root
}

// Outcome is the result of a Trial.
type Outcome struct {
	Emulator       string // "" when it ran natively, else QEMU's name of the architecture
	Worker         string // the address; "" is the one inside this program
	Exit           int    // the command's exit code; -1 when it has none
	Stdout, Stderr []byte // the beginning of each
	Truncated      bool   // there was more
	Took           time.Duration
	// Err is why the command did not run to its end. It is a NotRun when the image or the command is the cause.
	Err error
}

// NotRun is a command that did not run to its end because of the image or itself. It is an ErrMismatch.
type NotRun string

func (e NotRun) Error() string { return string(e) }
func (NotRun) Unwrap() error   { return ErrMismatch }

// Runner runs commands in images, each on a machine or emulator for the image's platform.
type Runner interface {
	// Run runs all trials at once and returns the outcomes in their order. Nothing that it started is left then.
	Run(ctx context.Context, trials []Trial) ([]Outcome, error)
}

// Command is what to run in an image. The zero value is what the image starts itself.
type Command struct {
	Words []string // replace the image's entrypoint and command
	Args  []string // replace the image's command; not used together with Words
}

// Trial returns the command for one image. If the image starts nothing itself, the error wraps ErrMismatch.
func (c Command) Trial(img Image, from registry.Ref) (Trial, error) {
	var config struct {
		Config struct {
			Env        []string `json:"Env"`
			Entrypoint []string `json:"Entrypoint"`
			Cmd        []string `json:"Cmd"`
			WorkingDir string   `json:"WorkingDir"`
			User       string   `json:"User"`
		} `json:"config"`
	}
	if err := json.Unmarshal(img.ConfigBody, &config); err != nil {
		return Trial{}, fmt.Errorf("%w: its config can't be read: %w", registry.ErrContent, err)
	}
	set := config.Config
	t := Trial{Image: img, From: from, Command: c.Words, Env: set.Env, Dir: set.WorkingDir, User: set.User}
	switch {
	case len(c.Words) > 0:
	case len(c.Args) > 0:
		t.Command = slices.Concat(set.Entrypoint, c.Args)
	default:
		t.Command = slices.Concat(set.Entrypoint, set.Cmd)
	}
	if len(t.Command) == 0 {
		return t, NotRun("the image has neither an entrypoint nor a command")
	}
	return t, nil
}

// Tried is a command in one image and its outcome. It is zero if the image could not be read.
type Tried struct {
	Command []string // what was executed
	Outcome
}

// Run runs the command in every image of r that could be read, and returns a Tried for each image. The findings are
// about the images in which it failed.
func (c Command) Run(ctx context.Context, runner Runner, r Report) ([]Tried, []Finding, error) {
	tried := make([]Tried, len(r.Images))
	var trials []Trial
	var rows []int // of the trials
	var findings []Finding
	for i, img := range r.Images {
		if img.Err != nil {
			continue
		}
		t, err := c.Trial(img, r.Ref)
		if err != nil {
			tried[i].Outcome = Outcome{Exit: -1, Err: err}
			f, _ := tried[i].Finding(t)
			findings = append(findings, f)
			continue
		}
		trials, rows = append(trials, t), append(rows, i)
	}
	outcomes, err := runner.Run(ctx, trials)
	if err != nil {
		return nil, nil, err
	}
	for n, outcome := range outcomes {
		tried[rows[n]] = Tried{trials[n].Command, outcome}
		if f, failed := outcome.Finding(trials[n]); failed {
			findings = append(findings, f)
		}
	}
	return tried, findings, nil
}

// Passed reports whether the command ran and ended with exit code 0.
func (o Outcome) Passed() bool { return o.Err == nil && o.Exit == 0 }

// Finding returns the finding of a failed trial: a mismatch when the command failed, unchecked when nothing could run
// it. A trial that passed has none: that a command ran does not prove its architecture, since an emulator or the kernel
// may have run a foreign program.
func (o Outcome) Finding(t Trial) (Finding, bool) {
	if o.Passed() {
		return Finding{}, false
	}
	name := platform.Format(t.Image.Platform())
	f := Finding{
		State: Mismatch, Platform: name, Digest: t.Image.Descriptor.Digest, Claim: "runs " + quoted(t.Command),
		Err: o.Err,
	}
	switch {
	case o.Err != nil:
		f.Evidence = oneLine(o.Err)
		if !errors.Is(o.Err, ErrMismatch) {
			f.State = Unchecked
		}
	default:
		f.Evidence = fmt.Sprintf("exit code %d", o.Exit)
	}
	if o.Emulator != "" {
		f.Evidence += " (emulated by qemu-" + o.Emulator + ")"
	}
	f.Message = fmt.Sprintf("%s: running %s: %s", name, quoted(t.Command), f.Evidence)
	if last := lastLines(o); last != "" {
		f.Message += ", after printing: " + last
	}
	return f.Printable(), true
}

// quoted formats a command nearly as a shell would take it.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		if all[i] = w; w == "" || strings.ContainsAny(w, " \t\n'\"\\$|&;<>()") {
			all[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(all, " ")
}

// lastLines returns the last few lines of standard error, or else of standard output, as one line.
func lastLines(o Outcome) string {
	const few, longest = 3, 300
	text := strings.TrimSpace(string(o.Stderr))
	if text == "" {
		text = strings.TrimSpace(string(o.Stdout))
	}
	lines := strings.Split(text, "\n")
	text = strings.Join(lines[max(0, len(lines)-few):], " / ")
	return text[max(0, len(text)-longest):]
}
