// Package buildcontext turns a build context that is not a directory into one: a tar or a Dockerfile from standard
// input, a Git repository, or an archive at an HTTP address.
//
// There are two calls, Open and Context.Close. Everything is streamed to disk, since a context may be larger than
// memory. The package builds nothing; Git contexts need the git command.
package buildcontext
