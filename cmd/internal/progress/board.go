package progress

import (
	"cmp"
	"io"
	"slices"
	"sync"
	"time"

	"mtool/registry"
)

// Mode is how progress is shown.
type Mode string

// The modes. Auto becomes TTY on a terminal, else Plain.
const (
	Auto  Mode = "auto"
	TTY   Mode = "tty"
	Plain Mode = "plain"
	JSON  Mode = "json"
	Quiet Mode = "quiet"
)

// Options are how a Board shows its tasks.
type Options struct {
	Mode Mode // TTY, Plain or JSON
	// Out gets lines: plain ones, or JSON.
	Out io.Writer
	// Terminal gets rows that are redrawn in place, in mode TTY. Every refresh reads its width; Width is the default.
	Terminal io.Writer
	Width    int // of a Terminal whose width is not known
	// Brief leaves out the last line of a transfer that had no other line: the result of the command says as much.
	Brief bool
}

// How often each display is refreshed.
const (
	terminalPause = 100 * time.Millisecond
	plainPause    = 10 * time.Second
	jsonPause     = time.Second
)

// Board shows all tasks that have begun and not ended. It is a registry.Progress. A nil Board shows nothing.
type Board struct {
	options Options
	show    display
	pause   time.Duration
	stop    chan struct{}
	stopped sync.WaitGroup

	mu    sync.Mutex
	open  map[*registry.Task]bool
	now   transfer
	since time.Time // when something was shown last, or nothing was to be shown
	owned int       // tasks that show themselves, and other reasons to show nothing
	// patient means that nothing need be shown, since the command waits for others.
	patient bool
}

// display shows a state. Both methods are called by one goroutine at a time.
type display interface {
	refresh(s state)
	// end is called when a transfer is over.
	end(t transfer, now time.Time)
	// hide erases what can be erased.
	hide()
}

// New starts a Board. The caller closes it.
func New(o Options) *Board {
	b := &Board{options: o, stop: make(chan struct{}), open: map[*registry.Task]bool{}, since: time.Now()}
	switch o.Mode {
	case TTY:
		b.show, b.pause = &screen{options: o}, terminalPause
	case JSON:
		b.show, b.pause = newObjects(o.Out), jsonPause
	default:
		b.show, b.pause = lines{o}, plainPause
	}
	b.stopped.Go(b.run)
	return b
}

func (b *Board) run() {
	tick := time.NewTicker(b.pause)
	defer tick.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-tick.C:
			b.refresh()
		}
	}
}

func (b *Board) refresh() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owned > 0 {
		b.since = time.Now()
		return
	}
	s := b.state(time.Now())
	if s.moving() || s.waiting() || b.patient {
		b.since = s.at
	}
	b.show.refresh(s)
}

// Close ends the display.
func (b *Board) Close() {
	if b == nil {
		return
	}
	close(b.stop)
	b.stopped.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.show.hide()
	b.finish(time.Now())
}

// Hide erases what is shown, because something else is about to be written to the terminal. It may be shown again.
func (b *Board) Hide() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since = time.Now()
	b.show.hide()
}

// Rest shows nothing until the returned function is called, while the command asks the user or serves clients.
func (b *Board) Rest() (resume func()) {
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.owned++
	b.show.hide()
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.owned--
		b.since = time.Now()
	})
}

// Settle shows how the last transfer ended, if it has, before the result of the command is printed.
func (b *Board) Settle() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.open == 0 {
		b.finish(time.Now())
	}
}

// Patient means that from now on the command waits for others, and need not show anything.
func (b *Board) Patient() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.patient = true
}

// Begin implements registry.Progress.
func (b *Board) Begin(t *registry.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[t] = true
	switch {
	case t.Shown:
		b.owned++
		b.show.hide()
	case t.Moves():
		if b.now.open == 0 && b.now.doing != t.Doing {
			b.finish(t.Started)
			b.now = transfer{doing: t.Doing, started: t.Started}
		}
		b.now.begin(t)
	}
}

// End implements registry.Progress.
func (b *Board) End(t *registry.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, t)
	switch {
	case t.Shown:
		b.owned--
		b.since = time.Now()
	case t.Moves():
		b.now.end(t)
		if o, ok := b.show.(*objects); ok {
			o.blob(t)
		}
	}
}

// finish shows how the last transfer ended.
func (b *Board) finish(now time.Time) {
	if b.now.all > 0 {
		b.show.end(b.now, now)
	}
	b.now = transfer{}
}

// state returns what is to be shown.
func (b *Board) state(now time.Time) state {
	s := state{at: now, idle: now.Sub(b.since)}
	for t := range b.open {
		switch {
		case t.Shown:
		case t.Moves() && t.Moved() > 0:
			s.flights = append(s.flights, t)
		case !t.Moves() && (t.Of == nil || t.Of.Moved() == 0):
			s.waits = append(s.waits, t)
		}
	}
	byAge := func(x, y *registry.Task) int {
		return cmp.Or(x.Started.Compare(y.Started), cmp.Compare(x.Blob.Digest.Hex, y.Blob.Digest.Hex))
	}
	slices.SortFunc(s.flights, byAge)
	slices.SortFunc(s.waits, byAge)
	b.now.measure(s.flights, now)
	s.transfer = b.now
	return s
}
