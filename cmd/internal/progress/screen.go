package progress

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"mtool/cmd/internal/print"
	"mtool/registry"
)

const (
	// Shorter transfers and shorter waits are not shown. Nothing else may stay silent for longer than silence.
	briefTransfer = 300 * time.Millisecond
	briefWait     = time.Second
	silence       = 1500 * time.Millisecond
	// mostRows is how many blobs are shown at a time: a terminal has 24 lines.
	mostRows = 8
	// widestBar and widestLine keep the numbers near the names.
	widestBar, widestLine = 60, 100
)

// screen is the display for terminals; mpb moves the cursor and reads the width. It has one bar, of the whole transfer,
// and above it a row for each blob in flight.
type screen struct {
	options Options
	rows    *mpb.Progress // nil if nothing is shown
	bar     *mpb.Bar
	draw    chan any
	shown   atomic.Pointer[state]
}

func (s *screen) refresh(now state) {
	if !now.moving() && !now.waiting() && now.idle < silence {
		s.hide()
		return
	}
	s.shown.Store(&now)
	if s.rows == nil {
		s.begin()
	}
	select {
	case s.draw <- now.at:
	default: // the terminal takes its time
	}
}

// moving and waiting report whether a transfer, or a wait, takes long enough to be shown.
func (s *state) moving() bool { return s.open > 0 && s.at.Sub(s.started) >= briefTransfer }

func (s *state) waiting() bool { return len(s.waits) > 0 && s.at.Sub(s.waits[0].Started) >= briefWait }

func (s *screen) begin() {
	s.draw = make(chan any)
	options := []mpb.ContainerOption{mpb.WithOutput(s.options.Terminal), mpb.WithManualRefresh(s.draw)}
	if s.options.Width > 0 {
		options = append(options, mpb.WithWidth(s.options.Width), mpb.ForceTTY())
	}
	var above []mpb.BarFiller
	for n := range mostRows + 1 {
		above = append(above, s.row(func(now *state, width int) string { return now.above(n, width) }, "\n"))
	}
	s.rows = mpb.New(options...)
	// it fails when the rows are gone
	s.bar, _ = s.rows.Add(0, s.row((*state).last, ""), mpb.BarFillerTrim(), mpb.BarTopExtender(above...))
}

// row returns a line of the display. Without text there is no line.
func (s *screen) row(text func(now *state, width int) string, end string) mpb.BarFiller {
	return mpb.BarFillerFunc(func(w io.Writer, st decor.Statistics) error {
		line := text(s.shown.Load(), max(st.AvailableWidth-1, 1)) // some terminals wrap a full line
		if line == "" {
			return nil
		}
		_, err := io.WriteString(w, line+end)
		return err
	})
}

func (s *screen) hide() {
	if s.rows == nil {
		return
	}
	s.bar.Abort(true)
	s.rows.Wait()
	s.rows = nil
}

func (*screen) end(transfer, time.Time) {} // the result of the command says it

// above returns the nth row above the last: a blob, how many more there are, or a wait.
func (s *state) above(n, width int) string {
	blobs := min(len(s.flights), mostRows)
	switch more := len(s.flights) - blobs; {
	case !s.moving():
		return ""
	case n < blobs:
		t := s.flights[n]
		return bar(width, "  "+nameOf(t), flight(t), t.Moved(), t.Bytes())
	case n == blobs && more > 0:
		return runewidth.Truncate(fmt.Sprintf("  and %d more", more), width, "…")
	case n == blobs && s.waiting():
		return runewidth.Truncate("  "+print.Line(waiting(s.waits[0], s.at)), width, "…")
	}
	return ""
}

// last returns the last row: the whole transfer, or a wait.
func (s *state) last(width int) string {
	switch {
	case s.moving():
		all := s.total
		if s.unknown > 0 {
			all = 0
		}
		return bar(width, fmt.Sprintf("%s %d/%d", s.doing, s.all-s.open, s.all), s.amount()+comma(s.speed(s.at)),
			s.bytes, all)
	case s.waiting():
		return runewidth.Truncate(print.Line(waiting(s.waits[0], s.at)), width, "…")
	}
	return runewidth.Truncate("working, for "+seconds(s.idle.Truncate(time.Second)), width, "…")
}

// nameOf returns the digest of a blob, or the name of something else that moves.
func nameOf(t *registry.Task) string {
	const digits = 12
	if t.Blob.Digest != (v1.Hash{}) {
		return t.Blob.Digest.Hex[:min(digits, len(t.Blob.Digest.Hex))]
	}
	return print.Line(t.Name)
}

// flight returns how far a blob is.
func flight(t *registry.Task) string {
	if t.Bytes() > 0 && t.Moved() >= t.Bytes() {
		if t.Doing == "copying" {
			return "waiting for the answer"
		}
		return "finishing"
	}
	return amount(t.Moved(), t.Bytes(), true)
}

// bar returns a line with a name on the left, numbers on the right, and a bar between them if there is room.
func bar(width int, name, numbers string, moved, all int64) string {
	const least, widestName = 10, 3 // columns of a bar; the part of the line that a name may take
	width = min(width, widestLine)
	numbers = runewidth.Truncate(numbers, width, "…")
	rest := width - runewidth.StringWidth(numbers) - 2
	name = runewidth.Truncate(name, max(min(rest, max(width/widestName, 16)), 0), "…")
	room := rest - runewidth.StringWidth(name) - 1
	if room < 0 {
		return numbers
	}
	if all <= 0 || room < least {
		return name + strings.Repeat(" ", room+3) + numbers
	}
	var b bytes.Buffer
	long := min(room, widestBar)
	// into memory
	_ = mpb.BarStyle().Build().Fill(&b, decor.Statistics{AvailableWidth: long, Total: all, Current: min(moved, all)})
	return name + " " + b.String() + strings.Repeat(" ", room-long+2) + numbers
}
