package cli

import (
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/build/advice"
	"mtool/cmd/internal/print"
	"mtool/cmd/internal/progress"
	"mtool/registry"
)

// progressFlags say how what takes its time is shown; every command has them.
type progressFlags struct {
	mode  string
	board *progress.Board // nil, which may be used: nothing is shown
}

func (f *progressFlags) addProgress(fl *pflag.FlagSet) {
	fl.StringVar(&f.mode, "progress", "auto", "how progress is shown: `auto|tty|plain|json|quiet`\nmtool help progress")
}

// watch starts the display and puts it into the context of the command.
func (a *application) watch(cmd *cobra.Command) error {
	if err := oneOf("--progress", a.mode, "auto", "tty", "plain", "json", "rawjson", "quiet"); err != nil {
		return err
	}
	terminal := a.Err.Terminal()
	o := progress.Options{Out: a.Err, Brief: a.mode == "auto"}
	switch moves := terminal != nil && os.Getenv("TERM") != "dumb"; {
	case a.quiet || a.mode == "quiet":
		return nil
	case a.mode == "tty" && !moves:
		return usagef("--progress plain", "--progress tty: standard error is no terminal")
	case a.mode == "json", a.mode == "rawjson":
		o.Mode = progress.JSON
	case a.mode != "plain" && moves:
		o.Mode, o.Terminal = progress.TTY, terminal
	default:
		o.Mode = progress.Plain
	}
	a.board = progress.New(o)
	if o.Mode == progress.TTY {
		a.Err.Before(a.board.Hide)
		a.Out.Before(a.board.Hide)
	}
	cmd.SetContext(registry.WithProgress(cmd.Context(), a.board))
	return nil
}

// objects writes lines of JSON to standard error; nil where people read it.
func (a *application) objects() *slog.Logger {
	if a.mode != "json" && a.mode != "rawjson" && a.format != "json" {
		return nil
	}
	return slog.New(slog.NewJSONHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// note tells what is worth knowing besides the result.
func (a *application) note(line string) {
	a.board.Settle()
	switch objects := a.objects(); {
	case a.quiet:
	case objects != nil:
		objects.Info(line) //nolint:sloglint // the line is the message
	default:
		print.Note(a.Err, line)
	}
}

// buildNote notes a remark of a build, with what would help.
func (a *application) buildNote(n advice.Note) {
	if hint := adviceHint(n.Advice); hint != "" {
		n.Text += " (" + hint + ")"
	}
	a.note(n.Text)
}

// tellError tells why a command failed.
func (a *application) tellError(err error) {
	objects := a.objects()
	if objects == nil {
		writeError(a.Err, err)
		return
	}
	objects.Error(strings.Join(errorLines(err), "\n"), "hint", hintOf(err), "exit", exitCode(err))
}

// buildProgress returns the mode of BuildKit's display.
func (a *application) buildProgress() string {
	switch {
	case a.quiet:
		return "quiet"
	case a.mode == "json":
		return "rawjson"
	}
	return a.mode
}
