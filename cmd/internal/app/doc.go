// Package app joins the libraries: one function for each use (build and list, create and check and push, inspect),
// without flags and without printing. An Env holds what all of them share. Each takes an options struct and returns a
// value for package print.
package app
