//go:build !linux

package emulator

func executes(string) bool { return false }
