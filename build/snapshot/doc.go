// Package snapshot shows a build context as it was when one command first looked at it: to every platform that the command
// builds, however often and by whichever worker the files are asked for.
//
// New makes a Tree of a directory, which BuildKit's file synchronisation reads; Tree.Err is the first thing that went wrong
// with it. Open makes the Memory of a context, which lasts from one command to the next, and Memory.Close keeps it.
//
// A worker keeps the files of the last build and asks only for those whose size, time, mode or owner differs. A file that
// was changed and has its old size and time again would stay as it was. So a Memory knows which contents a worker may have
// got for each path, size and time. Where that is not the content of today, the file is sent again, and always from then on.
//
// To know the content of today a file is read and hashed, unless it is the same inode with the same size, time of
// modification and time of change (ctime) as when it was hashed last, and had rested for two seconds then. No program can
// set the ctime of a file: the kernel sets it to now at each write, each change of the times and each rename. That holds
// for local file systems of Linux only; elsewhere (NFS, FUSE, other systems) every file is hashed each time. What is not
// noticed: a program that writes to a file which it has mapped into its memory, before the kernel takes note of it.
package snapshot
