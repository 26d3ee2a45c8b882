package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/cmd/internal/trace"
	"mtool/inspect"
	"mtool/registry/remote"
)

// verboseFlags say how much a command reports about its work. Every command has them.
type verboseFlags struct {
	verbose   int
	debug     bool
	format    string
	traceFile string

	archive *trace.Archive
	spans   *trace.Spans
}

func (f *verboseFlags) addVerbose(fl *pflag.FlagSet) {
	fl.CountVarP(&f.verbose, "verbose", "v", "say what was decided and why; -vv: each request too (mtool help debug)")
	fl.BoolVarP(&f.debug, "debug", "D", false, "the same as -vv")
	fl.StringVar(&f.format, "log-format", "text", "what notes, errors and -v look like: `text|json`")
	fl.StringVar(&f.traceFile, "trace", "",
		"write all requests to this `FILE` (HAR), without secrets, for a report of a defect")
}

// The levels of -v and -vv.
const (
	decisions = 1
	requests  = 2
)

// beginLog takes what the environment says where flags say nothing, and begins what is written at the end.
func (a *application) beginLog(cmd *cobra.Command) error {
	for word := range strings.SplitSeq(os.Getenv("MTOOL_LOG"), ",") {
		switch word {
		case "":
		case "info":
			a.verbose = max(a.verbose, decisions)
		case "debug":
			a.verbose = requests
		case "json", "text":
			if !cmd.Flags().Changed("log-format") {
				a.format = word
			}
		default:
			return usagef("MTOOL_LOG=debug,json", "MTOOL_LOG: %q is none of info, debug, json, text", word)
		}
	}
	if a.debug {
		a.verbose = requests
	}
	if err := oneOf("--log-format", a.format, "text", "json"); err != nil {
		return err
	}
	if a.traceFile != "" {
		a.archive = &trace.Archive{Program: "mtool", Version: version()}
	}
	if trace.Wanted() {
		spans, err := trace.Start(cmd.Context(), cmd.CommandPath(), version())
		if err != nil {
			a.note(fmt.Sprintf("note: no spans are sent: %v", err))
		}
		a.spans = spans
	}
	return nil
}

// observe makes a client report its requests where a flag demands it.
func (a *application) observe(o *app.EnvOptions) {
	if a.verbose >= decisions {
		o.Explain = func(line string) { a.log(slog.LevelInfo, line) }
	}
	if a.verbose >= requests || a.archive != nil || a.spans != nil {
		o.Observe = a.exchanged
	}
}

// exchanged is called for every request.
func (a *application) exchanged(e remote.Exchange) {
	if a.archive != nil {
		a.archive.Add(e)
	}
	if a.spans != nil {
		a.spans.Add(e)
	}
	if a.verbose < requests {
		return
	}
	connection := "new connection"
	if e.Reused {
		connection = "reused connection"
	}
	line := fmt.Sprintf("%s %s: %d, %s sent, %s received, %s, %s", e.Method, e.URL, e.Status, inspect.Bytes(e.Sent),
		inspect.Bytes(e.Received),
		e.Took.Round(time.Millisecond/10), connection)
	if e.Err != "" {
		line += ", " + e.Err
	}
	a.log(slog.LevelDebug, line, "method", e.Method, "url", e.URL, "status", e.Status, "sent", e.Sent, "received",
		e.Received,
		"seconds", e.Took.Seconds(), "reused", e.Reused, "error", e.Err)
}

// log tells how the work is done. Only programs get the attributes: the line says the same.
func (a *application) log(level slog.Level, line string, attrs ...any) {
	if objects := a.objects(); objects != nil {
		objects.Log(context.Background(), level, line, attrs...) //nolint:sloglint // the line is the message
		return
	}
	print.Println(a.Err, strings.ToLower(level.String())+": "+line)
}

// endLog writes the files and spans that flags demand at the end.
func (a *application) endLog(code int) {
	if a.archive != nil {
		if err := a.archive.WriteFile(a.traceFile); err != nil {
			a.note(fmt.Sprintf("warning: the trace is not written: %v", err))
		}
	}
	if a.spans != nil {
		if err := a.spans.End(code); err != nil {
			a.note(fmt.Sprintf("warning: spans are lost: %v", err))
		}
	}
}

const debugHelp = `What mtool does, and why, in more and more detail, on standard error:

  -v                   decisions: where names were looked up and found, which login is used and where it was found, which
                       tokens are requested, mirrors, mounts that a registry refused
  -vv, -D, --debug     each request too: method, address, status, bytes, time, and whether a connection was used again
  --log-format json    everything on standard error as JSON, one object a line: time, level (DEBUG, INFO, ERROR), msg, and for
                       requests method, url, status, sent, received, seconds, reused, error
  --trace FILE         all requests with their headers and times, as an HTTP archive (HAR 1.2), which browsers open. Bodies are
                       not in it. Attach it to a report of a defect
  MTOOL_LOG            what these flags say, for all commands: info (-v), debug (-vv), json, with commas: MTOOL_LOG=debug,json
  OTEL_…               OTEL_EXPORTER_OTLP_ENDPOINT is where spans are sent by OpenTelemetry: one for the command, one for each
                       request. The other variables of its exporter are honoured, and TRACEPARENT is the parent

Secrets are left out: users and passwords in addresses, and values of queries and headers except a few harmless ones
(digest, scope …), are REDACTED; bodies are never shown. Hosts and repositories are shown. Requests of a builder are not
shown; --progress plain shows its own log.
`
