package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// All walks a directory for a program that opens what it finds there. An entry that is neither a regular file nor a
// directory is an ErrFile. Links are followed; dangling ones are ignored.
func All(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		if err == nil {
			err = check(path, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// AllOfLayout is All for an OCI layout: its directory, and those of its blobs.
func AllOfLayout(dir string) error {
	blobs := filepath.Join(dir, "blobs")
	algorithms, err := os.ReadDir(blobs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = All(dir)
	for _, a := range algorithms {
		if a.IsDir() {
			err = errors.Join(err, All(filepath.Join(blobs, a.Name())))
		}
	}
	return err
}
