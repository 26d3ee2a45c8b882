// Package device makes devices where the kernel allows none: in a user namespace, even if its user is root of the
// machine.
//
// It makes an empty file with an extended attribute that names the device. A layer names a device only in its header,
// so a writer of layers or archives writes that header for such a file, and an unpacker makes such a file of the
// header. Nobody can open a device by the file, not even on the host.
//
// Serve makes one for each device that this process, or a program that it starts, asks the kernel for. From reads a
// file's attribute.
package device
