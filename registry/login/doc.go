// Package login finds the credentials for a registry: in the files of docker and podman, in the variable that CI
// systems set, and with credential helpers.
//
// Most callers need one call: Default, whose Credentials go into remote.Options. Fixed and Parse take a login from
// elsewhere; Save and Remove change what is stored.
//
// The package connects to no registry. A password is never part of an error or of what Auth.Who returns.
//
// Stable from v1 on: Default, Fixed, Parse and the order in which files are looked at.
package login
