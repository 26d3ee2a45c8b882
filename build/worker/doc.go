// Package worker runs BuildKit's worker without a daemon: in a child process, which is this same program again, in user,
// mount and PID namespaces of its own, with a binfmt_misc of its own.
//
// Main must be the first call of the program's main (and of a test binary's TestMain): it takes over when the process is
// such a child. Start makes one, and Process.Dial is the connection to it, for BuildKit's client.
//
// The child ends with its parent, whatever ends that, and with it everything it started: a PID namespace dies with its
// first process, a mount namespace with its last. On the host it leaves nothing but the state directory. It opens no
// socket that another process could reach. It does not solve, export or store anything by itself.
//
// The state belongs to the mapping of user ids that its files were made under: another mapping has a state of its own. One of
// another format begins anew.
//
// A user namespace can make no devices. Files stand for them (see package device): those that steps and BuildKit ask for, and those
// of layers that are unpacked. Layers that are written, and exports of files, have the devices.
//
// The state is synced when the child ends, not at every change: see deferSyncs.
//
// Where a container hides parts of /proc the kernel lets no new /proc be mounted, and there is no PID namespace. A keeper
// then stands between this process and the child, and ends what the child leaves; a shim around runc does so for each step.
// Whoever kills the keeper itself, as a step of the same user can, leaves processes behind until the container ends. Steps
// see the processes around them, and can signal those of their user: a worker in this mode is started with an empty
// environment, and its memory is closed to them, since they lack capabilities that it has. Steps that run at one time can
// read each other, secrets included.
package worker
