package print

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
)

// shownLines is how much of a command's output a table shows.
const shownLines = 20

// proof prints the tables of what was looked at beyond claims and binaries; named: under the name of the reference.
func proof(w io.Writer, s app.Inspection, named bool) error {
	if named && (s.Signatures != nil || s.Runs != nil) {
		printf(w, "\n%s\n", s.Report.Ref.Name())
	}
	if s.Signatures != nil {
		if err := signatureTable(w, s); err != nil {
			return err
		}
	}
	if s.Runs == nil {
		return nil
	}
	printf(w, "\n")
	t := newTable(w, "PLATFORM", "RAN", "EXIT", "TIME", column{name: "OUTPUT", breaks: true})
	for _, row := range runRows(s) {
		for n, line := range row.Lines {
			if n > 0 {
				t.row("", "", "", "", line)
				continue
			}
			t.row(row.Platform, row.How, row.Exit, row.Took, line)
		}
	}
	return t.flush()
}

// runRow is what came of a command in one image, in words; Lines are one at least.
type runRow struct {
	Platform, How, Exit string
	Took                time.Duration
	Lines               []string
}

func runRows(s app.Inspection) (all []runRow) {
	for i, tried := range s.Runs {
		row := runRow{
			dash(platformOf(s.Report.Images[i])), how(tried), "-", tried.Took.Round(10 * time.Millisecond),
			outputOf(tried),
		}
		if tried.Err == nil && tried.Command != nil {
			row.Exit = strconv.Itoa(tried.Exit)
		}
		all = append(all, row)
	}
	return all
}

func how(t inspect.Tried) string {
	switch {
	case t.Command == nil || t.Took == 0:
		return "no"
	case t.Emulator != "":
		return "qemu-" + t.Emulator
	}
	return "natively"
}

// outputOf are the lines of both streams, at least one, or why there is no output.
func outputOf(t inspect.Tried) []string {
	text := strings.TrimRight(string(t.Stdout), "\n")
	if more := strings.TrimRight(string(t.Stderr), "\n"); more != "" {
		text = strings.TrimLeft(text+"\n"+more, "\n")
	}
	if t.Err != nil {
		text = strings.TrimLeft(text+"\n"+t.Err.Error(), "\n")
	}
	lines := strings.Split(text, "\n")
	if len(lines) > shownLines {
		lines = append(lines[:shownLines], fmt.Sprintf("… and %d lines more (-o json)", len(lines)-shownLines))
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", " ")
	}
	return lines
}

func signatureTable(w io.Writer, s app.Inspection) error {
	printf(w, "\n")
	t := newTable(w, "SIGNATURES", stateColumn("SIGNED"), textColumn("FOUND"))
	for _, row := range signatureRows(s) {
		t.row(row.Name, row.Signed, row.Found)
	}
	return t.flush()
}

// signatureRow is what was found for the list or one image, in words.
type signatureRow struct{ Name, Signed, Found string }

// Whether something is signed: by a key that was given, not by one, or by something where no key was given.
const (
	signedYes  = "yes"
	signedNo   = "no"
	signedSome = "not verified"
)

func signatureRows(s app.Inspection) (all []signatureRow) {
	if s.Signatures == nil {
		return nil
	}
	subjects := s.Signatures.Images
	if s.Report.List != nil {
		subjects = append([]signature.Subject{s.Signatures.Root}, subjects...)
	}
	for _, of := range subjects {
		row := signatureRow{dash(of.Name), signedNo, dash(foundWords(of.Found))}
		switch {
		case of.Signed(true):
			row.Signed = signedYes
		case !s.Signatures.Verified && of.Signed(false):
			row.Signed = signedSome
		}
		all = append(all, row)
	}
	return all
}

func foundWords(found []signature.Found) string {
	var all []string
	for _, f := range found {
		words := f.Kind
		switch {
		case f.State == signature.Verified:
			words += " by " + commas(f.By)
		case f.Err != nil && f.State != signature.NotVerified:
			words += " (" + f.Err.Error() + ")"
		}
		if f.Predicate != "" && f.Predicate != signature.SignPredicate {
			words += " of a statement: " + provenance.Words(f.Predicate)
		}
		all = append(all, words)
	}
	return strings.Join(all, "; ")
}

// statementWords are the kinds of the statements of an attestation, "" when it lists none.
func statementWords(a inspect.Attachment) string {
	var all []string
	for _, s := range a.Statements() {
		all = append(all, provenance.Words(s.Predicate))
	}
	return strings.Join(all, ", ")
}
