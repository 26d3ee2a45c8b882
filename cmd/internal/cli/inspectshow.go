package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
)

func (f *inspectFlags) show(w *print.Out, seen []app.Inspection, inspected error) error {
	switch {
	case f.format != "":
		if err := f.template.Inspections(w.With(print.Manners{Commands: true}), seen); err != nil {
			return usagef("mtool inspect -o json REF, for the members that there are", "--format: %v", err)
		}
		return nil
	case f.output == "tree":
		return print.Tree(w, seen)
	case f.output == "markdown":
		return print.Markdown(w, seen, inspected)
	case f.output == "junit":
		return print.JUnit(w, seen, inspected)
	case f.output == "html":
		return print.HTML(w, seen, inspected, version(), reportTime(os.Getenv, time.Now))
	case f.output == "sarif":
		return print.SARIF(w, seen, inspected)
	case f.output == "github":
		return errors.Join(print.GitHub(w.With(print.Manners{Commands: true}), seen, inspected), addSummary(seen, inspected))
	}
	return print.Inspections(w, f.output, seen)
}

// reportTime is when a report is made. SOURCE_DATE_EPOCH makes the same report the same bytes:
// https://reproducible-builds.org/specs/source-date-epoch/
func reportTime(getenv func(string) string, now func() time.Time) time.Time {
	if seconds, err := strconv.ParseInt(getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0)
	}
	return now()
}

// addSummary appends to the job summary of GitHub Actions, where there is one.
func addSummary(seen []app.Inspection, inspected error) error {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("writing $GITHUB_STEP_SUMMARY: %w", err)
	}
	if err := errors.Join(summarise(file, seen, inspected), file.Close()); err != nil {
		return fmt.Errorf("writing $GITHUB_STEP_SUMMARY: %w", err)
	}
	return nil
}

func summarise(file *os.File, seen []app.Inspection, inspected error) error {
	out := print.NewOut(file)
	return errors.Join(print.Markdown(out, seen, inspected), out.Close())
}
