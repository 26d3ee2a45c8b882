package registry

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Progress is notified of what takes time: blobs being moved, and answers being waited for. Both methods are called by
// several goroutines at once and must not block. A task knows how far it has come (Task.Moved), so that nothing is
// called for every read. Like httptrace.ClientTrace it travels in the context, since a transfer crosses packages that
// know nothing of each other.
type Progress interface {
	Begin(*Task)
	End(*Task)
}

// Work describes a task.
type Work struct {
	// Doing is a gerund: "copying", "reading manifest".
	Doing string
	// Name is the object or the destination, for people; may be empty.
	Name string
	// Blob is what moves. Without a digest nothing moves: the task waits for something. Without a size its end is not
	// known.
	Blob v1.Descriptor
	// Size is the number of bytes if what moves is not a blob; negative if it is not known.
	Size int64
	// Shown means that the task has its own display, which leaves no room for another.
	Shown bool
}

// Moves reports whether bytes move, as opposed to a task that waits for something.
func (w Work) Moves() bool { return w.Blob.Digest != (v1.Hash{}) || w.Size != 0 }

// Bytes returns how many bytes there are to move; 0 if that is not known.
func (w Work) Bytes() int64 { return max(w.Blob.Size, w.Size, 0) }

// Task is work that has started. The nil task is valid and does nothing: it is not watched.
type Task struct {
	Work
	Started time.Time
	// Of is the transfer that waits for this task; nil if there is none.
	Of *Task

	progress Progress
	moved    atomic.Int64
	ended    atomic.Bool
	how      Moved
	err      error
}

type (
	progressKey struct{}
	taskKey     struct{}
)

// WithProgress returns a context whose tasks report to p.
func WithProgress(ctx context.Context, p Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, p)
}

// Begin starts a task, which the caller ends. What Counted reads in the returned context counts for it.
func Begin(ctx context.Context, w Work) (context.Context, *Task) {
	p, watched := ctx.Value(progressKey{}).(Progress)
	if !watched {
		return ctx, nil
	}
	t := &Task{Work: w, Started: time.Now(), progress: p}
	t.Of, _ = ctx.Value(taskKey{}).(*Task)
	p.Begin(t)
	if w.Moves() {
		ctx = context.WithValue(ctx, taskKey{}, t)
	}
	return ctx, t
}

// In returns a context in which what Counted reads counts for t, which was started elsewhere.
func (t *Task) In(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, taskKey{}, t)
}

// End ends the task; further calls do nothing.
func (t *Task) End(how Moved, err error) {
	if t == nil || t.ended.Swap(true) {
		return
	}
	t.how, t.err = how, err
	t.progress.End(t)
}

// Moved returns how many bytes have moved so far. A transfer that is repeated starts at 0 again.
func (t *Task) Moved() int64 { return t.moved.Load() }

// Outcome returns how the task ended. Only Progress.End may call it.
func (t *Task) Outcome() (Moved, error) { return t.how, t.err }

// Counted counts what is read from rc for the innermost task of ctx that moves bytes, from 0.
func Counted(ctx context.Context, rc io.ReadCloser) io.ReadCloser {
	t, counts := ctx.Value(taskKey{}).(*Task)
	if !counts {
		return rc
	}
	t.moved.Store(0)
	return &countedReader{rc, t}
}

// CountedWriter counts what is written to w as Counted counts what is read.
func CountedWriter(ctx context.Context, w io.Writer) io.Writer {
	t, counts := ctx.Value(taskKey{}).(*Task)
	if !counts {
		return w
	}
	t.moved.Store(0)
	return &countedWriter{w, t}
}

type countedWriter struct {
	io.Writer
	task *Task
}

func (w *countedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.task.moved.Add(int64(n))
	return n, err
}

type countedReader struct {
	io.ReadCloser
	task *Task
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.task.moved.Add(int64(n))
	return n, err
}
