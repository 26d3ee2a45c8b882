// Package advice describes, as data, what would help against an error of a build. The program decides how a user can
// request it, by a flag, a setting or a field: package build has callers without a command line.
//
// Errors embed an Advice; For finds it.
package advice
