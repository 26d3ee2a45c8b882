package device

import "golang.org/x/sys/unix"

// From returns the device that the file at path stands for; false: it is an ordinary file.
func From(path string) (Device, bool) {
	var value [32]byte // longer than any
	n, err := unix.Lgetxattr(path, Attribute, value[:])
	if err != nil {
		return Device{}, false
	}
	return Parse(string(value[:n]))
}
