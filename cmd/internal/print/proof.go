package print

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"mtool/cmd/internal/flow"
	"mtool/inspect"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
)

// shownLines is how much of a command's output a table shows.
const shownLines = 20

// proof prints the tables of what was looked at beyond claims and binaries; named: under the name of the reference.
func proof(w io.Writer, s flow.Inspection, named bool) error {
	if named && (s.Signatures != nil || s.Runs != nil) {
		fmt.Fprintln(w, "\n"+s.Report.Ref.Name())
	}
	if s.Signatures != nil {
		if err := signatureTable(w, s); err != nil {
			return err
		}
	}
	if s.Runs == nil {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nPLATFORM\tRAN\tEXIT\tTIME\tOUTPUT")
	for i, tried := range s.Runs {
		name := dash(platformOf(s.Report.Images[i]))
		exit := "-"
		if tried.Err == nil && tried.Command != nil {
			exit = strconv.Itoa(tried.Exit)
		}
		for n, line := range outputOf(tried) {
			if n > 0 {
				fmt.Fprintf(t, "\t\t\t\t%s\n", line)
				continue
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, how(tried), exit, tried.Took.Round(10*time.Millisecond), line)
		}
	}
	return t.Flush()
}

func how(t flow.Tried) string {
	switch {
	case t.Command == nil || t.Took == 0:
		return "no"
	case t.Emulator != "":
		return "qemu-" + t.Emulator
	}
	return "natively"
}

// outputOf are the lines of both streams, at least one, or why there is no output.
func outputOf(t flow.Tried) []string {
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
		lines[i] = oneCell(line)
	}
	return lines
}

// oneCell keeps a program's output from steering the terminal and from making cells of its own.
func oneCell(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, line)
}

func signatureTable(w io.Writer, s flow.Inspection) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nSIGNATURES\tSIGNED\tFOUND")
	rows := s.Signatures.Images
	if s.Report.List != nil {
		rows = append([]signature.Subject{s.Signatures.Root}, rows...)
	}
	for _, of := range rows {
		signed := "no"
		switch {
		case of.Signed(true):
			signed = "yes"
		case !s.Signatures.Verified && of.Signed(false):
			signed = "not verified"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", dash(of.Name), signed, dash(foundWords(of.Found)))
	}
	return t.Flush()
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
		if !f.Signs() && f.Predicate != "" {
			words += " of a statement: " + provenance.Words(f.Predicate)
		}
		all = append(all, oneCell(words))
	}
	return strings.Join(all, "; ")
}

// statementWords are the kinds of the statements of an attestation, "" when it lists none.
func statementWords(a inspect.Attachment) string {
	var all []string
	for _, s := range a.Statements() {
		all = append(all, oneCell(provenance.Words(s.Predicate)))
	}
	return strings.Join(all, ", ")
}
