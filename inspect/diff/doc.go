// Package diff tells what two lists, or images, have different: platforms that only one of them has, and for each
// platform that both have, layers, members of the config, annotations and attestations.
//
// One call does it: Compare, which takes two trees as inspect.Read returns them.
//
// The package reads nothing, and what files are in the layers is not compared: package parity does that for the images
// of one list.
package diff
