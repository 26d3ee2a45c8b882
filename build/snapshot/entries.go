package snapshot

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/tonistiigi/fsutil/types"
)

// Entry is a file's header in an archive. The file on disk may differ: an ordinary user can create neither devices
// nor files of another owner.
type Entry struct {
	Mode         fs.FileMode // with its kind
	UID, GID     int
	ModTime      time.Time
	Major, Minor int64  // of a device
	Capability   []byte // the extended attribute security.capability
}

// kindOf returns the kind of the file at path.
func (t *Tree) kindOf(path string, onDisk fs.FileMode) fs.FileMode {
	if e, ok := t.o.Entries[filepath.ToSlash(path)]; ok {
		return e.Mode.Type()
	}
	return onDisk
}

// asArchived changes stat to what the archive states. A directory that the archive does not name gets the same time
// each time.
func (t *Tree) asArchived(stat *types.Stat) {
	if t.o.Entries == nil {
		return
	}
	e, ok := t.o.Entries[filepath.ToSlash(stat.Path)]
	if !ok {
		stat.ModTime = 0
		return
	}
	stat.Mode, stat.ModTime = uint32(e.Mode), e.ModTime.UnixNano()
	stat.Uid, stat.Gid = uint32(e.UID), uint32(e.GID) // ids have 32 bits
	stat.Devmajor, stat.Devminor = e.Major, e.Minor
	if !e.Mode.IsRegular() {
		stat.Size = 0
	}
	stat.Xattrs = nil
	if len(e.Capability) > 0 {
		stat.Xattrs = map[string][]byte{"security.capability": e.Capability}
	}
}

// Devices is what happens to block and character devices; the zero value sends them.
type Devices struct {
	Skip    bool  // leave them out
	Refused error // why the worker can make none: each is a DeviceError
}

// DeviceError is a device in a context whose worker can't make devices.
type DeviceError struct {
	Path    string
	Archive string // of the context that it is in; "": it lies in the context itself
	Err     error  // why
}

func (e *DeviceError) Error() string {
	name := fmt.Sprintf("%q", e.Path)
	if e.Archive != "" {
		name += fmt.Sprintf(" of %q", e.Archive)
	}
	return fmt.Sprintf("%s is a device, and the worker can make none: %v", name, e.Err)
}

func (e *DeviceError) Unwrap() error { return e.Err }
