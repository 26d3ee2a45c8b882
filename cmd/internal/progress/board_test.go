package progress_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/progress"
	"mtool/registry"
)

const mega = 1_000_000

// output is a buffer that may be read while it is written.
type output struct {
	mu sync.Mutex
	bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Buffer.String()
}

func blob(name string, size int64) v1.Descriptor {
	return v1.Descriptor{Digest: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(name, 64)}, Size: size}
}

// slowly is a reader of n bytes whose every Read takes a tenth of a second.
type slowly struct{ n int64 }

func (s *slowly) Read(p []byte) (int, error) {
	if s.n <= 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Second / 10)
	n := min(s.n, int64(len(p)))
	s.n -= n
	return int(n), nil
}

func (*slowly) Close() error { return nil }

// readAll reads a MB at a time.
func readAll(r io.Reader) {
	buf := make([]byte, mega)
	for {
		if _, err := r.Read(buf); err != nil {
			return
		}
	}
}

// copyOne reports the transfer of one blob, which ends with moved and err.
func copyOne(ctx context.Context, d v1.Descriptor, moved registry.Moved, err error) {
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "copying", Name: "host/app", Blob: d})
	if moved == registry.Copied {
		readAll(registry.Counted(ctx, &slowly{d.Size}))
	}
	task.End(moved, err)
}

// watched runs work for a board with o and a fake clock, and returns what the board printed.
func watched(t *testing.T, o progress.Options, work func(ctx context.Context, b *progress.Board)) string {
	t.Helper()
	var out output
	synctest.Test(t, func(t *testing.T) {
		o.Out, o.Terminal = &out, &out
		b := progress.New(o)
		time.Sleep(time.Second / 20) // so that no read coincides with a refresh
		work(registry.WithProgress(t.Context(), b), b)
		b.Close()
	})
	return out.String()
}

// push copies 250 MB in 25 seconds, after one blob that is present and one that is mounted.
func push(ctx context.Context, _ *progress.Board) {
	copyOne(ctx, blob("a", 40*mega), registry.Present, nil)
	copyOne(ctx, blob("b", 10*mega), registry.Mounted, nil)
	copyOne(ctx, blob("c", 250*mega), registry.Copied, nil)
}

func TestLines(t *testing.T) {
	t.Parallel()
	short := func(ctx context.Context, _ *progress.Board) { copyOne(ctx, blob("a", 5*mega), registry.Copied, nil) }
	wait := func(ctx context.Context, _ *progress.Board) {
		_, task := registry.Begin(ctx, registry.Work{Doing: "asking for a token", Name: "auth.example.com"})
		time.Sleep(25 * time.Second)
		task.End(registry.Present, nil)
	}
	fail := func(ctx context.Context, _ *progress.Board) {
		copyOne(ctx, blob("a", 20*mega), registry.Copied, errors.New("no"))
	}
	for name, test := range map[string]struct {
		work  func(context.Context, *progress.Board)
		brief bool
		want  string
	}{
		"transfer": {work: push, want: "" +
			"copying: 99.0 MB of 250.0 MB, 2 of 3 blobs done, 9.9 MB/s, 15s left\n" +
			"copying: 199.0 MB of 250.0 MB, 2 of 3 blobs done, 10.0 MB/s, 5s left\n" +
			"copying: done, 250.0 MB in 25s (10.0 MB/s); 3 blobs, 1 already there, 1 mounted\n"},
		"short":           {work: short, want: "copying: done, 5.0 MB in 500ms (10.0 MB/s); 1 blob\n"},
		"short and brief": {work: short, brief: true},
		"failure":         {work: fail, want: "copying: not done, 0 B in 2s; 1 blob, 1 failed\n"},
		"waiting": {
			work: wait,
			want: "asking for a token auth.example.com, for 9s\nasking for a token auth.example.com, for 19s\n",
		},
		"no transfer": {work: func(context.Context, *progress.Board) { time.Sleep(time.Minute) }},
	} {
		t.Run(name, func(t *testing.T) {
			if got := watched(t, progress.Options{Mode: progress.Plain, Brief: test.brief}, test.work); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	got := watched(t, progress.Options{Mode: progress.JSON}, push)
	var states, events []string
	for line := range strings.Lines(got) {
		var o struct {
			Event string `json:"msg"`
			State string `json:"state"`
			Bytes int64  `json:"bytes"`
			Total int64  `json:"total"`
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if o.Event == "blob" && o.State != "moving" {
			states = append(states, o.State)
		}
		if o.Event != "blob" {
			events = append(events, o.Event)
		}
		if o.Event == "done" && (o.Bytes != 250*mega || o.Total != 250*mega) {
			t.Errorf("at the end: %s", line)
		}
	}
	if strings.Join(states, " ") != "present mounted done" {
		t.Errorf("blobs ended as %q", states)
	}
	if n := len(events); n != 26 || events[n-1] != "done" || events[0] != "progress" {
		t.Errorf("events are %q", events)
	}
}

// escapes matches the sequences that move the cursor.
var escapes = regexp.MustCompile(`\x1b\[[0-9]*A\x1b\[J`)

// frames splits the output into the successive contents of the terminal.
func frames(shown string) []string { return escapes.Split(shown, -1) }

func TestScreen(t *testing.T) {
	t.Parallel()
	name := "档案/很长的名字/" + strings.Repeat("数据", 40) + ".tar"
	pack := func(ctx context.Context, _ *progress.Board) {
		ctx, task := registry.Begin(ctx, registry.Work{Doing: "writing", Name: name, Size: 50 * mega})
		readAll(registry.Counted(ctx, &slowly{50 * mega}))
		task.End(registry.Copied, nil)
	}
	many := func(ctx context.Context, _ *progress.Board) {
		var all sync.WaitGroup
		for n := range 12 {
			all.Go(func() { copyOne(ctx, blob(string(rune('a'+n)), 30*mega), registry.Copied, nil) })
		}
		all.Wait()
	}
	token := func(ctx context.Context, _ *progress.Board) {
		_, task := registry.Begin(ctx, registry.Work{Doing: "asking for a token", Name: "auth\x1b[31m.example.com"})
		time.Sleep(3 * time.Second)
		task.End(registry.Present, nil)
	}
	silent := func(context.Context, *progress.Board) { time.Sleep(4 * time.Second) }
	prompt := func(_ context.Context, b *progress.Board) {
		defer b.Rest()()
		time.Sleep(time.Minute)
	}
	for test, c := range map[string]struct {
		work func(context.Context, *progress.Board)
		want []string // lines of one frame
	}{
		"transfer": {push, []string{
			"  cccccccccccc [===================>--------------------]  127.0 MB of 250.0 MB\n",
			"copying 2/3 [==========>-----------]  127.0 MB of 250.0 MB, 10.0 MB/s, 12s left\n",
		}},
		"many":    {many, []string{"  and 4 more"}},
		"wide":    {pack, []string{"  档案/很长的名字/数据数… ["}},
		"waiting": {token, []string{`asking for a token auth\u001b[31m.example.com, for 2s`}},
		"silent":  {silent, []string{"working, for 3s"}},
		"prompt":  {prompt, nil},
	} {
		t.Run(test, func(t *testing.T) {
			got := watched(t, progress.Options{Mode: progress.TTY, Width: 80}, c.work)
			all := frames(got)
			if last := all[len(all)-1]; last != "" {
				t.Errorf("%q is left on the terminal", last)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("never shown: %q, but\n%s", want, all[len(all)/2])
				}
			}
			if c.want == nil && got != "" {
				t.Errorf("shown: %q", got)
			}
		})
	}
}
