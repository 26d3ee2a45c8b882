package device

import (
	"errors"
	"fmt"
	"io/fs"
)

// Attribute is the extended attribute of a file that stands for a device. Any program can set it, which gets it no more than a
// layer that was written by hand: see Parse.
const Attribute = "user.mtool.device"

// SkipAttr is the attribute of an export of files as an archive that leaves devices out; any value will do.
const SkipAttr = "mtool.skip-devices"

// ErrNotMade is wrapped by the error for a device among files that are exported into a directory.
var ErrNotMade = errors.New("is a device, and a build makes none on the machine that it is for")

// Device is what an inode of the kind, or a layer's entry, says.
type Device struct {
	Block        bool // else it is a character device
	Major, Minor uint32
}

// String is the value of Attribute: "c 1:3".
func (d Device) String() string {
	kind := "c"
	if d.Block {
		kind = "b"
	}
	return fmt.Sprintf("%s %d:%d", kind, d.Major, d.Minor)
}

// Whiteout reports whether d is what overlayfs takes for a file that is gone. It stands for no device, and hides files in some
// runtimes only.
func (d Device) Whiteout() bool { return !d.Block && d.Major == 0 && d.Minor == 0 }

// Mode is the kind as Go has it.
func (d Device) Mode() fs.FileMode {
	if d.Block {
		return fs.ModeDevice
	}
	return fs.ModeDevice | fs.ModeCharDevice
}

// Parse reads the value of Attribute. A whiteout is none, nor is what String would write otherwise.
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
