package build

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mtool/build/device"
	"mtool/build/snapshot"
)

// If a worker can't make devices, the error of an ADD names the device in the archive.
func TestDeviceIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, kind := range map[string]byte{"with.tar": tar.TypeChar, "without.tar": tar.TypeFifo} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(f)
		err = errors.Join(w.WriteHeader(&tar.Header{Name: "dev/null", Typeflag: kind, Devmajor: 1, Devminor: 3}),
			w.Close(), f.Close())
		if err != nil {
			t.Fatal(err)
		}
	}
	old, refused := errors.New("an old kernel"), errors.New("failed to solve: mknod: operation not permitted")
	for _, c := range []struct {
		step    string
		worker  error
		err     error
		archive string
	}{
		{"[stage 2/3] ADD --chown=1 without.tar /with.tar /", old, refused, "/with.tar"},
		{"[2/3] ADD without.tar /", old, refused, ""},
		{"[2/3] ADD none.tar /", old, refused, ""},
		{"[2/3] COPY with.tar /", old, refused, ""},
		{"[2/3] ADD with.tar /", nil, refused, ""},
		{"[2/3] ADD with.tar /", old, errors.New("no space left on device"), ""},
	} {
		err := deviceIn(t.Context(), c.step, c.err, dir, c.worker)
		var found *snapshot.DeviceError
		if errors.As(err, &found) != (c.archive != "") ||
			found != nil && (found.Archive != c.archive || found.Path != "dev/null" || !errors.Is(err, old)) {
			t.Errorf("%s: %v", c.step, err)
		}
	}
}

// A worker's message about a device among exported files gets its error kind back.
func TestDeviceOut(t *testing.T) {
	t.Parallel()
	message := fmt.Errorf("%q %w", "dev/null", device.ErrNotMade).Error()
	if err := deviceOut(errors.New("failed to solve: " + message)); !errors.Is(err, device.ErrNotMade) ||
		err.Error() != "failed to solve: "+message {
		t.Errorf("got %v", err)
	}
	if err := deviceOut(errors.New("failed to solve")); err != nil {
		t.Errorf("got %v", err)
	}
}
