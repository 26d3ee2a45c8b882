package draft

import (
	"io"
	"path/filepath"

	"mtool/registry"
)

// write replaces path atomically: a reader, or a crash, sees the old bytes or the new ones. The caller holds the
// lock, so one temporary name is enough, and a killed process's leftover is overwritten.
func write(path string, data []byte) error {
	return registry.WriteFile(path, registry.WriteOptions{Temp: temporary(path)}, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// temporary returns a name that does not end in suffix, so List ignores it.
func temporary(path string) string { return sibling(path, ".tmp") }

func lockOf(path string) string { return sibling(path, ".lock") }

func sibling(path, ending string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+ending)
}
