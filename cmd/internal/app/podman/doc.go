// Package podman does with drafts what podman manifest and buildah manifest do with their lists. Lists has a method for
// each of their commands.
//
// Names, numbers and what is taken without a question are podman's: "demo" is localhost/demo:latest, every list has an
// ID, a list may be empty, of a source that is a list only this machine's image is taken, and an image may be listed as
// what its config denies. The package prints nothing, and it has no commands and no flags.
package podman
