// Package cli is what a user types: one file a command, each of them flags, then one call of package app, then print.
//
// Run executes a command line and returns the exit code; exit.go is the only place that knows the codes. The package
// decides nothing about images.
package cli
