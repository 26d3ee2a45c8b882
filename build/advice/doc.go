// Package advice says what would help against an error of a build, as data. How a user asks for it, by a flag, a setting or a
// field, is for the program to say: package build has callers without a command line.
//
// Errors embed an Advice; For finds it.
package advice
