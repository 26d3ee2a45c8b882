// Package compose models a manifest list as a value: its entries, its edits, its encoding, and the plan that publishes
// it.
//
// A List is immutable; every edit returns a new one, together with the changes it made. Equal lists encode to equal
// bytes. Most callers need three calls: FromReports turns sources that package inspect has read into entries, List.Add
// (or List.Replace, to amend) puts them into a list, and NewPlan says what publishing will do. Package publish does it:
// blobs, then children by digest, then the list once under each tag.
//
// Children are opaque bytes and rows are edited member by member, so members that this package does not know are kept.
// Only List.Convert and an Edit of a Child write other manifests, and those too member by member.
//
// The package makes no connections, reads no image and does not check what a list claims. Its sources come from package
// inspect; package draft stores unpublished lists.
//
// Stable from v1 on: List, Entry, Plan, and the bytes that a list encodes to.
package compose
