// Package login finds what to say to a registry: in the files of docker and podman, in the variable that CI systems set, and
// with credential helpers.
//
// Most callers need one call: Default, whose Credentials go into remote.Options. Fixed and Parse take a login from
// elsewhere; Save and Remove are what a login command does.
//
// The package asks no registry. A password is never part of an error or of what Auth.Who returns.
package login
