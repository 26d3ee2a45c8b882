// Package settings reads how registries are reached from the files of this machine: from registries.yaml, from what
// docker and podman keep by host, and from the configuration of Docker Engine.
//
// One call does it: Read, whose answer goes into remote.NewClient. ParseMirror reads one mirror as people type it.
//
// The package connects to no registry and finds no credentials: package login does.
package settings
