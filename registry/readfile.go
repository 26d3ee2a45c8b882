package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"mtool/registry/regular"
)

// ReadFile reads a file of a layout or an archive, which somebody else may have written: the error of one with more than most
// bytes wraps ErrContent.
func ReadFile(files fs.FS, name string, most int64) ([]byte, error) {
	f, err := files.Open(name)
	if errors.Is(err, regular.ErrFile) {
		err = fmt.Errorf("%w: %w", ErrContent, err)
	}
	if err != nil {
		return nil, err
	}
	data, err := readAll(f, most)
	if int64(len(data)) > most {
		err = fmt.Errorf("%q has more than %d bytes: %w", name, most, ErrContent)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

// readAll reads at most a byte more than most. The size is asked for because FUSE looks at a file again then: a read alone may
// end where the file ended a second ago.
func readAll(f fs.File, most int64) ([]byte, error) {
	if _, err := f.Stat(); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, most+1))
}
