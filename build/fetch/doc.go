// Package fetch makes a directory of a build context that is none yet: a tar or a Dockerfile from standard input, a Git
// repository, or an archive at an HTTP address.
//
// Open is the one call, and Context.Close the other. Everything is streamed to disk: a context may be larger than memory.
// The package builds nothing; Git contexts need the git command.
package fetch
