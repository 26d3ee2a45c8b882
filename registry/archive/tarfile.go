package archive

import (
	"io"
	"io/fs"
	"time"
)

// tarFile is an open file of a tarFS; closing it leaves the tar open.
type tarFile struct {
	*io.SectionReader
	name string
}

func (f *tarFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *tarFile) Close() error               { return nil }

// The rest implements fs.FileInfo.

func (f *tarFile) Name() string       { return f.name }
func (f *tarFile) Mode() fs.FileMode  { return 0o444 }
func (f *tarFile) ModTime() time.Time { return time.Time{} }
func (f *tarFile) IsDir() bool        { return false }
func (f *tarFile) Sys() any           { return nil }
