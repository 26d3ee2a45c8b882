// Package platform parses, normalises, formats and compares platforms: os/arch[/variant][:os.version], as in
// linux/arm/v7 or windows/amd64:10.0.20348.1. It is the only place that does.
//
// Most callers need two calls: ParseList for what a user typed, and Format for what a user reads.
//
// What users type has one normal form: names are lower case, aliases are replaced (x86_64 is amd64, aarch64 is arm64,
// armhf is arm/v7), and a variant is written only if it adds to the architecture: arm64/v8 is arm64, amd64/v1 is
// amd64, while arm is arm/v7. Platforms in manifests and configs are shown as spelled (Spelled, Format), and
// Misspelled recognises spellings that runtimes would not find. Offer returns which row of a list a runtime chooses
// for a node. Values and meanings follow the OCI image specification,
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants, and Go's GOOS, GOARCH,
// GOAMD64, GOARM and similar variables.
//
// Except for Host, the package knows names, not machines: it does not decide whether a program runs somewhere.
//
// Stable from v1 on: all of it; architectures and variants may be added.
package platform
