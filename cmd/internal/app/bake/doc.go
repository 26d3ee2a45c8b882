// Package bake builds the targets of a bake file, one after the other, with one cache. Nothing runs
// before every base image of every target is found. A target that fails publishes nothing; those that need it are not
// built, and the others are.
package bake
