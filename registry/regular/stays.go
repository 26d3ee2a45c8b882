package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// StaysIn returns an ErrFile when path is below dir by its name and a link on the way leads out of dir. A path that
// does not exist leads nowhere, nor does one that is not below dir.
func StaysIn(dir, path string) error {
	dirAbs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	rel, err := filepath.Rel(dirAbs, path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil
	}
	root, err := os.OpenRoot(dirAbs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // a folder, opened to stay within it
	parts := strings.Split(rel, string(filepath.Separator))
	for i := range parts {
		name := filepath.Join(parts[:i+1]...)
		_, err := root.Stat(name)
		switch {
		case escapes(err):
			return &fileError{name, fmt.Sprintf("is a link that leads out of %q", dir)}
		case errors.Is(err, fs.ErrNotExist):
			return leadsNowhere(root, name)
		case err != nil:
			return err
		}
	}
	return nil
}

// leadsNowhere returns an error for a dangling link: creating its target could create a file anywhere.
func leadsNowhere(root *os.Root, name string) error {
	if info, err := root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return &fileError{name, "is a link to something that is not there"}
	}
	return nil
}
