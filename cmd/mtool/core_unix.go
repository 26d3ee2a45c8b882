//go:build unix

package main

import "syscall"

// leaveNoCore keeps a crash from writing memory, with the passwords in it, to a disk. A limit of one byte is what Linux
// takes as an order not to hand it to a program either, which 0 is not:
// https://man7.org/linux/man-pages/man5/core.5.html. The hard limit stays, so a program that mtool starts may set its
// own.
func leaveNoCore() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		return // there is no such limit, and nothing better to do
	}
	limit.Cur = min(1, limit.Max)
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // a soft limit may always be lowered
}
