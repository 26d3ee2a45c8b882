package build

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"mtool/build/device"
)

// sent is the files that a worker sends, given by their stats.
type sent []*types.Stat

func (s sent) Walk(_ context.Context, _ string, fn fs.WalkDirFunc) error {
	for _, stat := range s {
		if err := fn(stat.Path, &fsutil.DirEntryInfo{Stat: stat}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s sent) Open(string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("text")), nil
}

// pipe is one end of a packet stream.
type pipe struct {
	ctx     context.Context
	in, out chan []byte
}

func (p pipe) Context() context.Context { return p.ctx }

func (p pipe) SendMsg(m any) error {
	b, err := m.(*types.Packet).Marshal()
	if err != nil {
		return err
	}
	select {
	case p.out <- b:
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

func (p pipe) RecvMsg(m any) error {
	select {
	case b, more := <-p.in:
		if !more {
			return io.EOF
		}
		m.(*types.Packet).Reset()
		return m.(*types.Packet).Unmarshal(b)
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// No device is made, whatever a worker sends and even if root runs this test.
func TestNoDeviceIsMade(t *testing.T) {
	t.Parallel()
	for kind, mode := range map[string]fs.FileMode{
		"character": fs.ModeDevice | fs.ModeCharDevice, "block": fs.ModeDevice,
		"whiteout": fs.ModeDevice | fs.ModeCharDevice,
	} {
		for _, skip := range []bool{false, true} {
			files := sent{
				{Path: "a", Mode: 0o640, Size: 4},
				{Path: "dev", Mode: uint32(fs.ModeDir | 0o755)},
				{Path: "dev/odd", Mode: uint32(mode | 0o666), Devmajor: 1, Devminor: 3},
				{Path: "dev/same", Mode: uint32(mode | 0o666), Devmajor: 1, Devminor: 3, Linkname: "dev/odd"},
				{Path: "pipe", Mode: uint32(fs.ModeNamedPipe | 0o600)},
			}
			if kind == "whiteout" {
				files[2].Devmajor, files[2].Devminor = 0, 0
			}
			dir, lines := t.TempDir(), ""
			r := receiver{skip: skip, say: func(line string) { lines += line + "\n" }}
			err := r.receiveFrom(t, files, dir)
			if skip && (err != nil || lines != "leaving out device dev/odd\nleaving out device dev/same\n") {
				t.Errorf("%s: left out: %v, printed %q", kind, err, lines)
			}
			if !skip && (!errors.Is(err, device.ErrNotMade) || !strings.Contains(err.Error(), `"dev/odd"`)) {
				t.Errorf("%s: got %v", kind, err)
			}
			if text, err := os.ReadFile(filepath.Join(dir, "a")); skip && (err != nil || string(text) != "text") {
				t.Errorf("%s: the file next to it: %q, %v", kind, text, err)
			}
			if _, err := os.Lstat(filepath.Join(dir, "dev", "odd")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: it was made: %v", kind, err)
			}
		}
	}
}

func (r receiver) receiveFrom(t *testing.T, files sent, dir string) error {
	t.Helper()
	there, back := make(chan []byte), make(chan []byte)
	go func() {
		defer close(there)
		_ = fsutil.Send(t.Context(), pipe{t.Context(), back, there}, files, nil) // the receiver reports errors
	}()
	return r.receive(pipe{t.Context(), there, back}, dir)
}
