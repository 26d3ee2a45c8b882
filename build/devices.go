package build

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/moby/go-archive/compression"

	"mtool/build/device"
	"mtool/build/snapshot"
	"mtool/registry/regular"
)

// deviceIn finds the device that made a step fail to unpack an archive of the context in dir: a worker that can't
// make devices, for the reason noDevices, does not name it. It returns nil if no archive in the step has a device.
func deviceIn(ctx context.Context, step string, err error, dir string, noDevices error) error {
	_, line, _ := strings.Cut(step, "] ")
	words := strings.Fields(line)
	if noDevices == nil || len(words) < 3 || words[0] != "ADD" ||
		!strings.Contains(err.Error(), "operation not permitted") {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil // the step's failure is reported anyway
	}
	defer root.Close() //nolint:errcheck // opened for reading only
	for _, name := range words[1 : len(words)-1] {
		f, err := regular.OpenIn(root, strings.TrimPrefix(name, "/"))
		if err != nil {
			continue // an option, a pattern, an address
		}
		device := firstDevice(ctx, f)
		_ = f.Close() // opened for reading only
		if device != "" {
			return &snapshot.DeviceError{Path: device, Archive: name, Err: noDevices}
		}
	}
	return nil
}

// deviceOut adds a kind to err if it is about a device among exported files.
func deviceOut(err error) error {
	if before, _, ok := strings.Cut(err.Error(), device.ErrNotMade.Error()); ok {
		return fmt.Errorf("%s%w", before, device.ErrNotMade)
	}
	return nil
}

// firstDevice returns the name of the first device in an archive; "" if there is none, or r is not an archive.
func firstDevice(ctx context.Context, r io.Reader) string {
	plain, err := compression.DecompressStream(r)
	if err != nil {
		return ""
	}
	defer plain.Close()
	for t := tar.NewReader(plain); ctx.Err() == nil; {
		h, err := t.Next()
		if err != nil {
			break
		}
		if h.Typeflag == tar.TypeChar || h.Typeflag == tar.TypeBlock {
			return h.Name
		}
	}
	return ""
}
