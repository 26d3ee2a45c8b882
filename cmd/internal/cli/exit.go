package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mtool/build"
	"mtool/cmd/internal/print"
	"mtool/compose"
	"mtool/compose/draft"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/regular"
)

// The exit codes of mtool. `mtool help exit-codes` and the README print exitTable.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitContent     = 3
	exitNotFound    = 4
	exitDenied      = 5
	exitUnavailable = 6
	exitConflict    = 7
	exitRefused     = 8
	exitNoWorker    = 9
	exitPartial     = 10
	exitInterrupted = 130
)

// exitRow is one line of the table: a code, what it means and the kinds of error that give it.
type exitRow struct {
	code  int
	means string
	kinds []error
}

// exitTable is in the order of precedence: of several failures, the first row that matches gives the code.
func exitTable() []exitRow {
	return []exitRow{
		{exitInterrupted, "interrupted", []error{context.Canceled}},
		{exitUsage, "usage: a flag, an argument or a file that can't be used", []error{registry.ErrUsage, workload.ErrFile}},
		{
			exitPartial, "some of several targets or platforms done (which, is listed)",
			[]error{publish.ErrPartial, compose.ErrMissing},
		},
		{exitDenied, "denied: 401, 403, or a certificate that is not trusted", []error{registry.ErrDenied}},
		{exitUnavailable, "registry or network still failing after retries", []error{registry.ErrUnavailable}},
		{
			exitNotFound, "not found (a base image without the platform too)",
			[]error{registry.ErrNotFound, compose.ErrNoMatch},
		},
		{
			exitContent, "checked, and the content is wrong: platform, digest, size, nesting",
			[]error{
				inspect.ErrMismatch, inspect.ErrLimit, registry.ErrContent, compose.ErrDuplicate, compose.ErrPlatform,
				draft.ErrCorrupt,
			},
		},
		{exitNoWorker, "no worker or emulator for the platform, or the emulator crashed", []error{build.ErrNoWorker}},
		{exitRefused, "registry refused the manifest", []error{registry.ErrRefused}},
		{exitConflict, "conflict: moved, protected or immutable tag", []error{registry.ErrConflict}},
	}
}

// exitCode maps an error to the code of the process.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[codedError](err); ok && !errors.Is(err, context.Canceled) {
		return e.code
	}
	for _, row := range exitTable() {
		if slices.ContainsFunc(row.kinds, func(kind error) bool { return errors.Is(err, kind) }) {
			return row.code
		}
	}
	if errors.Is(err, registry.ErrName) || errors.Is(err, regular.ErrFile) {
		return exitUsage // last: a name may also be one of something that is not there, and a file lie in a layout
	}
	return exitFailed
}

// writeExitCodes prints the table, lowest code first.
func writeExitCodes(w io.Writer) {
	rows := append(exitTable(), exitRow{code: exitDone, means: "done, or already so"},
		exitRow{code: exitFailed, means: "failed"})
	slices.SortFunc(rows, func(a, b exitRow) int { return a.code - b.code })
	for _, row := range rows {
		print.Println(w, fmt.Sprintf("%3d  %s", row.code, row.means))
	}
}

// writeError prints "mtool: what went wrong", then at most one line "hint: the next action".
func writeError(w io.Writer, err error) {
	for _, line := range errorLines(err) {
		if strings.HasPrefix(line, " ") { // it quotes a file
			print.Println(w, line)
			continue
		}
		print.Paragraph(w, "mtool: "+line)
	}
	switch h := hintOf(err); {
	case h == "":
	case strings.Contains(h, "mtool "): // so that the command can be copied
		print.Println(w, "hint: "+h)
	default:
		print.Paragraph(w, "hint: "+h)
	}
}

// errorLines returns the lines that are printed for an error.
func errorLines(err error) []string {
	if errors.Is(err, context.Canceled) {
		return []string{"interrupted"}
	}
	all := lines(err)
	for i, line := range all {
		all[i] = strings.TrimRight(line, "\n")
	}
	return all
}

// lines are those of an error: one for each that was joined, and those that an error has by itself. A line break in
// any other error is part of its text.
func lines(err error) []string {
	var causes []error
	switch e := err.(type) { //nolint:errorlint // each layer is looked at by itself
	case interface{ Lines() []string }:
		return slices.Clone(e.Lines())
	case interface{ Unwrap() []error }:
		causes = e.Unwrap()
	case interface{ Unwrap() error }:
		causes = []error{e.Unwrap()}
	}
	if joined := errors.Join(causes...); joined != nil && joined.Error() == err.Error() {
		var all []string
		for _, cause := range causes {
			all = append(all, lines(cause)...)
		}
		return all
	}
	for _, cause := range causes {
		if cause == nil {
			continue
		}
		text := lines(cause)
		if before, after, ok := strings.Cut(err.Error(), cause.Error()); ok && len(text) > 1 {
			text[0], text[len(text)-1] = before+text[0], text[len(text)-1]+after
			return text
		}
	}
	return []string{err.Error()}
}

// usageError is a command line that can't be carried out; hint is the line that would work.
type usageError struct{ message, hint string }

func (e usageError) Error() string        { return e.message }
func (e usageError) Hint() string         { return e.hint }
func (e usageError) Is(target error) bool { return target == registry.ErrUsage }

func usagef(hint, format string, args ...any) error {
	return usageError{fmt.Sprintf(format, args...), hint}
}
