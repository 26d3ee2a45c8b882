// Package remote speaks the OCI distribution specification to registries: a Client has the settings, one Repository of it
// is a registry.Source and a registry.Target.
//
// Most callers need two calls: NewClient and Client.Repository. The client asks as little as it can: one token for all
// scopes that were announced, uploads that begin with a mount, no HEAD before a GET. It retries what may pass within one
// budget of time, takes broken transfers up where they broke, and ends what has stood still.
//
// The package checks the digest and the size of what it reads and nothing else: package inspect judges content.
//
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
//
// Stable from v1 on: Options, Client and Repository. How many requests a call makes may become fewer, never more.
package remote
