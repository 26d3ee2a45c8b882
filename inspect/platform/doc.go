// Package platform parses, normalises, formats and compares platforms: os/arch[/variant][:os.version], as in
// linux/arm/v7 or windows/amd64:10.0.20348.1. It is the only place that does.
//
// Most callers need two calls: ParseList for what a user typed, and Format for what a user reads.
//
// What people type has one normal form: names are lower case, aliases are replaced (x86_64 is amd64, aarch64 is arm64,
// armhf is arm/v7), and a variant is written only where it says more than the architecture: arm64/v8 is arm64, amd64/v1
// is amd64, while arm is arm/v7. What manifests and configs say is shown as it is spelled (Spelled, Format), and
// Misspelled tells what runtimes would not find. Offer answers which row of a list a runtime takes for a node. Values
// and meanings follow the OCI image specification,
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants, and Go's GOOS, GOARCH and
// GOAMD64, GOARM and their like.
//
// The package knows names, not machines, Host excepted: whether a program runs somewhere is for others to say.
//
// Stable from v1 on: all of it; architectures and variants may be added.
package platform
