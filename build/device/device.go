package device

import (
	"errors"
	"fmt"
	"io/fs"
)

// Attribute is the extended attribute of a file that stands for a device. Any program can set it, but it gains no
// more than by writing a layer by hand: see Parse.
const Attribute = "user.mtool.device"

// SkipAttr is the attribute of an archive export of files that leaves devices out; any value will do.
const SkipAttr = "mtool.skip-devices"

// ErrNotMade is wrapped by the error for a device among files that are exported into a directory.
var ErrNotMade = errors.New("is a device, which a build never creates on this machine")

// Device is the device that an inode of this kind, or a layer's entry, describes.
type Device struct {
	Block        bool // else a character device
	Major, Minor uint32
}

// String returns the value of Attribute: "c 1:3".
func (d Device) String() string {
	kind := "c"
	if d.Block {
		kind = "b"
	}
	return fmt.Sprintf("%s %d:%d", kind, d.Major, d.Minor)
}

// Whiteout reports whether d is a whiteout of overlayfs, which marks a removed file. It stands for no device, and hides
// files in some runtimes only.
func (d Device) Whiteout() bool { return !d.Block && d.Major == 0 && d.Minor == 0 }

// Mode returns the kind in Go's terms.
func (d Device) Mode() fs.FileMode {
	if d.Block {
		return fs.ModeDevice
	}
	return fs.ModeDevice | fs.ModeCharDevice
}

// Parse parses the value of Attribute. It refuses whiteouts, and spellings that String would not write.
func Parse(value string) (d Device, ok bool) {
	var kind byte
	if _, err := fmt.Sscanf(value, "%c %d:%d", &kind, &d.Major, &d.Minor); err != nil {
		return Device{}, false
	}
	d.Block = kind == 'b'
	if d.Whiteout() || d.String() != value {
		return Device{}, false
	}
	return d, true
}
