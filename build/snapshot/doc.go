// Package snapshot presents a build context as it was when one command first looked at it: to every platform that the
// command builds, however often and whichever worker asks for the files.
//
// New makes a Tree of a directory, which BuildKit's file synchronisation reads; Tree.Err returns the first thing that
// went wrong with it. Open opens the Memory of a context, which lasts from one command to the next, and Memory.Close
// stores it.
//
// A worker keeps the files of the last build and asks only for those whose size, time, mode or owner differs. A file
// that was changed and has its old size and time again would stay outdated. So a Memory records which contents a worker
// may have for each path, size and time. If that is not today's content, the file is sent again, and always from then
// on.
//
// To know today's content a file is read and hashed, unless it is the same inode with the same size, time of
// modification and time of change (ctime) as when it was last hashed, and had been at rest for two seconds then. No
// program can set the ctime of a file: the kernel sets it to now at each write, each change of the times and each
// rename. That holds for local file systems of Linux only; elsewhere (NFS, FUSE, other systems) every file is hashed
// each time. One change goes unnoticed: a program's writes to a file that it has mapped into its memory, before the
// kernel notices them.
package snapshot
