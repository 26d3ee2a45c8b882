// Package worker runs BuildKit's worker without a daemon: in a child process, which is this same program again, in user,
// mount and PID namespaces of its own, with a binfmt_misc of its own.
//
// Main must be the first call of the program's main (and of a test binary's TestMain): it takes over when the process is
// such a child. Start makes one, and Process.Dial is the connection to it, for BuildKit's client.
//
// The child ends with its parent, whatever ends that, and with it everything it started: a PID namespace dies with its
// first process, a mount namespace with its last. On the host it leaves nothing but the state directory. It opens no
// socket that another process could reach. It does not solve, export or store anything by itself.
package worker
