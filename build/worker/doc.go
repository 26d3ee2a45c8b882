// Package worker runs BuildKit's worker without a daemon: in a child process of the same program, with its own user,
// mount and PID namespaces and its own binfmt_misc.
//
// Main must be the first call of the program's main (and of a test binary's TestMain): it takes over if the process
// is such a child. Start starts one, and Process.Dial connects to it, for BuildKit's client.
//
// The child ends with its parent, however that ends, and so does everything it started: a PID namespace dies with its
// first process, a mount namespace with its last. On the host it leaves only the state directory. It opens no socket
// that another process could reach. It does not solve, export or store anything on its own.
//
// The state belongs to the mapping of user ids under which its files were made: another mapping has its own state. A
// state of another format is discarded.
//
// A user namespace can't make devices. Files stand for them (see package device): for those that steps and BuildKit
// create, and those in unpacked layers. Written layers and exported files have the devices again.
//
// The state is synced when the child ends, not at every change: see deferSyncs.
//
// In a container that hides parts of /proc, the kernel refuses to mount a new /proc, so there is no PID namespace.
// Then a reaper between this process and the child ends what the child leaves behind, and a shim around runc does so
// for each step. If the reaper is killed, which a step of the same user can do, processes remain until the container
// ends. Steps see the processes around them, and can signal those of their user. So a worker in this mode starts with
// an empty environment, and steps can't read its memory, since they lack its capabilities. Concurrent steps can read
// each other, secrets included.
package worker
