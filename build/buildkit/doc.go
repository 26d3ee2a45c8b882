// Package buildkit is the client side of BuildKit: it connects to a worker, embedded or by address, and solves one request
// for each platform over that connection.
//
// Solver is what build.Run wants as Options.Solver; its zero value is ready. Base images that the local store has are
// handed to the worker from there, everything else the worker fetches by itself, with the credentials that this side
// answers for.
//
// The package exports OCI layouts. It neither checks nor stores them: see package build.
package buildkit
