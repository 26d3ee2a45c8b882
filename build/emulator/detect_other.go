//go:build !linux

package emulator

func runs386() bool     { return false }
func runsAArch32() bool { return false }
