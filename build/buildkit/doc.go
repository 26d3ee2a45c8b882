// Package buildkit is the client side of BuildKit: it connects to a worker, embedded or by address, and solves one request
// for each platform over that connection.
//
// Solver implements build.Solver; its zero value is ready to use. Base images in the local store are served to the worker
// from there. The worker fetches all others itself, and asks this side for credentials.
//
// The package exports OCI layouts. Package build checks and stores them.
package buildkit
