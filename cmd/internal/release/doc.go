// Command release makes the files of a release: for every target an archive and a list of what is in it, for Linux also
// packages, a formula, a Nix expression, an installer, the images of mtool, and the sums of them all.
//
//	go run ./cmd/internal/release -version v1.0.0 -targets "linux/amd64 darwin/arm64"
//
// What it makes depends on nothing but the commit, the version and Go: the same again, from another folder, gives the
// same bytes. The images are the same too, for every platform, if Debian's packages are those of before in the one that
// builds; their archives also have statements, which tell when they were built.
//
// The commit is built in a clone of its own, so that nothing gets in that is not committed. `make release` calls it
// with the programs that it needs in PATH. It signs nothing.
package main
