package progress

import (
	"fmt"
	"strings"
	"time"

	"mtool/inspect"
	"mtool/registry"
)

// transfer is all blobs that move for one purpose.
type transfer struct {
	doing   string
	started time.Time

	all, open                      int
	copied, present, mounted, lost int
	ended                          int64 // bytes of blobs that have arrived
	total                          int64 // bytes of all that have to move
	unknown                        int   // open ones whose size is not known
	bytes                          int64 // that had moved at the last measurement
	seen                           []sample
}

// sample is how far a transfer was at a time.
type sample struct {
	at    time.Time
	bytes int64
}

func (t *transfer) begin(task *registry.Task) {
	t.all++
	t.open++
	t.total += task.Bytes()
	if task.Bytes() == 0 {
		t.unknown++
	}
}

func (t *transfer) end(task *registry.Task) {
	t.open--
	how, err := task.Outcome()
	size := task.Bytes()
	if size == 0 {
		t.unknown--
		size = task.Moved()
		t.total += size
	}
	switch {
	case err != nil:
		t.lost++
	case how == registry.Present:
		t.present++
	case how == registry.Mounted:
		t.mounted++
	default:
		t.copied++
		t.ended += size
		return
	}
	t.total -= size
}

// window is the time over which a rate is measured.
const window = 10 * time.Second

// measure updates how far the transfer is.
func (t *transfer) measure(flights []*registry.Task, now time.Time) {
	t.bytes = t.ended
	for _, f := range flights {
		t.bytes += f.Moved()
	}
	if n := len(t.seen); n == 0 || now.Sub(t.seen[n-1].at) >= window/20 {
		t.seen = append(t.seen, sample{now, t.bytes})
	}
	for len(t.seen) > 1 && now.Sub(t.seen[1].at) >= window {
		t.seen = t.seen[1:]
	}
}

// rate returns how many bytes per second moved lately; 0 means unknown.
func (t *transfer) rate(now time.Time) float64 {
	from := sample{at: t.started}
	if len(t.seen) > 0 && now.Sub(t.started) > window {
		from = t.seen[0]
	}
	passed := now.Sub(from.at).Seconds()
	if passed <= 0 || t.bytes <= from.bytes {
		return 0
	}
	return float64(t.bytes-from.bytes) / passed
}

// left returns how long the rest will take at the current rate; ok is false if that is unknown.
func (t *transfer) left(now time.Time) (left time.Duration, ok bool) {
	rate := t.rate(now)
	if rate <= 0 || t.unknown > 0 || t.total < t.bytes {
		return 0, false
	}
	return time.Duration(float64(t.total-t.bytes) / rate * float64(time.Second)), true
}

// amount returns how much has moved, of how much.
func (t *transfer) amount() string { return amount(t.bytes, t.total, t.unknown == 0) }

func amount(moved, all int64, known bool) string {
	if !known || all <= 0 {
		return inspect.Bytes(moved)
	}
	return inspect.Bytes(moved) + " of " + inspect.Bytes(all)
}

// speed returns the rate and the time left, as far as they are known: "8.1 MB/s, 32s left".
func (t *transfer) speed(now time.Time) string {
	rate := t.rate(now)
	if rate <= 0 || t.unknown == 0 && t.bytes >= t.total { // all has left, and the answer is still to come
		return ""
	}
	text := inspect.Bytes(int64(rate)) + "/s"
	if left, ok := t.left(now); ok {
		text += ", " + max(left, time.Second).Round(time.Second).String() + " left"
	}
	return text
}

// seconds rounds a time for people: the longer it is, the more.
func seconds(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d < 10*time.Second && d%time.Second != 0:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// state is what a display shows.
type state struct {
	transfer
	at      time.Time
	flights []*registry.Task // that have moved bytes, oldest first
	waits   []*registry.Task // for something else than bytes, oldest first
	idle    time.Duration    // since something was shown last
}

// how says how the blobs of a transfer ended: "2 blobs, 1 already there, 1 mounted".
func (t *transfer) how() string {
	parts := []string{inspect.Count(t.all, "blob")}
	for _, p := range []struct {
		n    int
		what string
	}{{t.present, "already there"}, {t.mounted, "mounted"}, {t.lost, "failed"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}
