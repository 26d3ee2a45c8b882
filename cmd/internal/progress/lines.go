package progress

import (
	"fmt"
	"time"

	"mtool/cmd/internal/print"
	"mtool/inspect"
	"mtool/registry"
)

// lines is the display for logs: a line every ten seconds, and one at the end.
type lines struct{ options Options }

func (l lines) refresh(s state) {
	switch {
	case s.open > 0:
		print.Println(l.options.Out, fmt.Sprintf("%s: %s, %d of %s done%s", s.doing, s.amount(), s.all-s.open,
			inspect.Count(s.all, "blob"), comma(s.speed(s.at))))
	case len(s.waits) > 0 && s.at.Sub(s.waits[0].Started) >= plainPause/2:
		print.Println(l.options.Out, waiting(s.waits[0], s.at))
	}
}

func (l lines) end(t transfer, now time.Time) {
	took := now.Sub(t.started)
	if l.options.Brief && took < plainPause {
		return
	}
	print.Println(l.options.Out, summary(t, took))
}

func (lines) hide() {}

// summary returns the last line of a transfer.
func summary(t transfer, took time.Duration) string {
	text := fmt.Sprintf("%s: done, %s in %s", t.doing, inspect.Bytes(t.ended), seconds(took))
	if t.lost+t.open > 0 {
		text = fmt.Sprintf("%s: not done, %s in %s", t.doing, inspect.Bytes(t.ended), seconds(took))
	}
	if rate := float64(t.ended) / took.Seconds(); t.ended > 0 && took > 0 {
		text += fmt.Sprintf(" (%s/s)", inspect.Bytes(int64(rate)))
	}
	return text + "; " + t.how()
}

// waiting returns a line about what the command waits for: "reading manifest of demo:v1, 12s".
func waiting(t *registry.Task, now time.Time) string {
	text := t.Doing
	if t.Name != "" {
		text += " " + t.Name
	}
	return fmt.Sprintf("%s, for %s", text, seconds(now.Sub(t.Started).Truncate(time.Second)))
}

func comma(text string) string {
	if text == "" {
		return ""
	}
	return ", " + text
}
