// Package publish carries a compose.Plan out: to registries, files and the local store.
//
// One call does it all:
//
//	plan, err := compose.NewPlan(list, targets)
//	done, err := publish.Publisher{Client: client}.Publish(ctx, plan, publish.Options{})
//
// Everything below the root is brought to all targets first, blobs before the manifests that refer to them, and the
// tags are written last. Before that the guards look at what the tags are: a published list does not lose platforms
// by mistake, a single image does not take the tag of a list, a tag that must not move stays, and one that moved
// since it was read is an error. Targets are independent of each other: one that fails leaves its own tags unwritten,
// and the others go on.
//
// Callers that also read sources save one or two rounds of requests with Publisher.Start, which looks up the tags at
// once, and Push.Read, which starts mounts and uploads while configs are still read.
//
// The package judges no image and prints nothing: remarks for the user go to Publisher.Note.
//
// Stable from v1 on: Publisher, Options, Done, and which guards stop a push.
package publish
