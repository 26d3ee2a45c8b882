// Package diff compares two lists or images: platforms that only one of them has, and for each common platform the
// layers, members of the config, annotations and attestations.
//
// The one call is Compare, which takes two reports of inspect.Read.
//
// The package reads nothing, and does not compare the files in layers: package parity does that for the images of one
// list.
package diff
