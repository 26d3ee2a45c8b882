// Package compose has the list as a value: its entries, the edits, the encoding, and the plan by which it is published.
//
// A List is immutable; every edit returns a new one, together with the changes it made. Equal lists encode to equal
// bytes. Most callers need four calls: FromReports turns sources that package inspect has read into entries, List.Add
// (or List.Replace, to amend) puts them into a list, NewPlan says what publishing will do, and Upload.Publish does it:
// blobs, then children by digest, then the list once under each tag. Who has several uploads calls Upload.Begin for each,
// then Publishing.Content of all, then Publishing.Tag of all.
//
// Children are opaque bytes and rows are edited member by member, so nothing this package does not know gets lost. Only
// List.Convert and an Edit of a Child make other manifests, on demand, and those too member by member.
//
// The package never dials, reads no image by itself and does not check what a list claims: its sources come from package
// inspect, its targets from package registry, and unpublished lists are kept by package draft.
package compose
