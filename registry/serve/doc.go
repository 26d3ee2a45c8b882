// Package serve serves the local store as a registry, for docker, podman, crane and others to pull from.
//
// Most callers need two calls: New, which returns the http.Handler, and Run, which serves it until a context ends.
//
// It compares what it sends with the digest, and never completes an answer with other bytes. It closes the connection
// of a client that reads less than about 1 kB a second.
//
// It is read-only, keeps no state and implements the pull half of the OCI distribution specification:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull
package serve
