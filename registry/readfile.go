package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// ReadFile reads a file of a layout or an archive, which somebody else may have written: the error of one with more than most
// bytes wraps ErrContent.
func ReadFile(files fs.FS, name string, most int64) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if int64(len(data)) > most {
		err = fmt.Errorf("%q has more than %d bytes: %w", name, most, ErrContent)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return data, nil
}
