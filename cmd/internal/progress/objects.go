package progress

import (
	"context"
	"io"
	"log/slog"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// objects is the display for programs: one JSON object a line, as mtool help progress describes it.
type objects struct{ log *slog.Logger }

func newObjects(w io.Writer) *objects { return &objects{slog.New(slog.NewJSONHandler(w, nil))} }

func (o *objects) write(event string, attrs ...slog.Attr) {
	o.log.LogAttrs(context.Background(), slog.LevelInfo, event, attrs...)
}

func (o *objects) refresh(s state) {
	if s.open > 0 {
		attrs := o.transfer(s.transfer)
		if rate := s.rate(s.at); rate > 0 {
			attrs = append(attrs, slog.Int64("bytesPerSecond", int64(rate)))
		}
		if left, ok := s.left(s.at); ok {
			attrs = append(attrs, slog.Float64("secondsLeft", left.Round(time.Second/10).Seconds()))
		}
		o.write("progress", attrs...)
	}
	for _, t := range s.flights {
		o.write("blob", append(o.task(t), slog.String("state", "moving"))...)
	}
	for _, t := range s.waits {
		if waited := s.at.Sub(t.Started); waited >= jsonPause {
			o.write("waiting", slog.String("doing", t.Doing), slog.String("name", t.Name),
				slog.Float64("seconds", waited.Round(time.Second/10).Seconds()))
		}
	}
}

// blob writes how a task has ended.
func (o *objects) blob(t *registry.Task) {
	how, err := t.Outcome()
	state := "done"
	switch {
	case err != nil:
		state = "failed"
	case how == registry.Present:
		state = "present"
	case how == registry.Mounted:
		state = "mounted"
	}
	o.write("blob", append(o.task(t), slog.String("state", state))...)
}

func (o *objects) end(t transfer, now time.Time) {
	t.bytes = t.ended
	attrs := append(o.transfer(t), slog.Float64("seconds", now.Sub(t.started).Round(time.Millisecond).Seconds()))
	o.write("done", attrs...)
}

func (*objects) hide() {}

func (*objects) transfer(t transfer) []slog.Attr {
	return []slog.Attr{
		slog.String("doing", t.doing), slog.Int64("bytes", t.bytes), slog.Int64("total", t.total),
		slog.Group("blobs", slog.Int("all", t.all), slog.Int("done", t.copied), slog.Int("present", t.present),
			slog.Int("mounted", t.mounted), slog.Int("failed", t.lost)),
	}
}

func (*objects) task(t *registry.Task) []slog.Attr {
	attrs := []slog.Attr{slog.String("doing", t.Doing), slog.String("name", t.Name)}
	if t.Blob.Digest != (v1.Hash{}) {
		attrs = append(attrs, slog.String("digest", t.Blob.Digest.String()))
	}
	return append(attrs, slog.Int64("bytes", t.Moved()), slog.Int64("total", t.Bytes()))
}
