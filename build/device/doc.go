// Package device makes devices where the kernel lets nobody make any: in a user namespace, be its user root of the machine or not.
//
// What is made is an empty file with an extended attribute that says which device it stands for. A layer names a device by its
// header alone, so whoever writes a layer or an archive of such files writes that header, and whoever unpacks one turns the header
// into such a file. Nobody can open a device by it, on the machine neither.
//
// Serve makes one for each device that this process, or a program that it starts, asks the kernel for. From reads a file's
// attribute.
package device
