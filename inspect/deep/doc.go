// Package deep reads the layers of all images of a Report and reports whether their programs are what the list
// claims: the machine of every executable and shared object, above all of the entrypoint, its interpreter, and the
// image's own loader, libc and shell.
//
// Most callers need two calls: Inspect turns a Report into a Result, and Result.Over merges its verdicts into the
// findings of inspect.Check. Rules lists which foreign files are legitimate.
//
// Each distinct layer of the whole list is streamed once, several at a time, and nothing is written to disk. The
// caller can keep the facts about a layer (Options.Keep) and return them in a later run (Options.Known); verdicts are
// always computed anew. The package runs no program and fetches no urls of a descriptor.
//
// Stable from v1 on: Inspect, Options, Result, and the names of Rules. Any version may find more than the one before:
// pin the version for a gate whose results must not change.
package deep
