// Package remote speaks the OCI distribution specification to registries: a Client has the settings, one Repository
// of it is a registry.Source and a registry.Target.
//
// Most callers need two calls: NewClient and Client.Repository. The client makes as few requests as it can: one token
// for all announced scopes, uploads that start with a mount, no HEAD before a GET. It retries within one time budget,
// resumes broken transfers, and cancels stalled ones.
//
// The package checks the digest and the size of what it reads and nothing else: package inspect judges content.
//
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
//
// Stable from v1 on: Options, Client and Repository. How many requests a call makes may become fewer, never more.
package remote
