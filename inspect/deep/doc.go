// Package deep reads the layers of all images of a Report and reports whether their programs are what the list claims:
// the machine of every executable and shared object, with the entrypoint, its interpreter, and the image's own loader,
// libc and shell above all.
//
// Most callers need two calls: Inspect, a Report in and a Result out, and Result.Over, which lays the verdicts over the
// findings of inspect.Check. Rules is the table of the foreign files that are legitimate.
//
// Each distinct layer of the whole list is streamed once, several at a time, and nothing is written to disk. What was
// seen in a layer can be kept by the caller (Options.Keep) and be handed back (Options.Known); verdicts are always made
// anew. The package runs nothing and fetches no urls of a descriptor.
//
// Stable from v1 on: Inspect, Options, Result, and the names of Rules. What is found may become more and sharper with
// any version: a gate that must not change by itself pins one.
package deep
