// Package serve serves the local store as a registry, for docker, podman, crane and others to pull from and, with
// Options.Writable, to push to.
//
// Most callers need three calls: New, which returns the http.Handler, Run, which serves it until a context ends, and
// Server.Close, which removes what was uploaded and never named.
//
// It compares what it sends with the digest, and never completes an answer with other bytes. It closes the connection
// of a client that reads or sends less than about 1 kB a second.
//
// It implements the OCI distribution specification
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md), which the comments quote by section. An
// image that is pushed is in the store under the name that it was pushed to. Blobs stay in a stage of the store until a
// manifest names them.
package serve
