// Package serve shows the local store to others as a registry: docker, podman, crane and the rest pull from it.
//
// Most callers need two calls: New, which makes the http.Handler, and Run, which serves it until a context ends.
//
// What it sends is compared with its digest: an answer with other bytes is never complete. A client that takes in less than
// about 1 kB a second is given up.
//
// It is read-only, keeps nothing and speaks the pull half of the OCI distribution specification:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull
package serve
