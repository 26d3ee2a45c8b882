// Package rootfs determines which files an image really shows. It reads the layers as streams and merges them as a
// runtime would, without unpacking anything.
//
// Most callers need two calls: ScanAll reads layers into LayerFacts, and Merge turns the facts of an image's layers
// into a Tree. Tree.All then lists what is visible, and Tree.Command follows the image's command through links, PATH,
// #! lines and inits to the programs that will run.
//
// An Examiner, usually package binary, reads every regular file and says what it is. Facts are observations only.
// They can be stored as JSON by layer digest, and exist only for layers that were read to their end with the right
// digest and diffID. Layers follow the OCI image specification,
// https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md.
//
// The package does not judge, writes no file, fetches no urls of a descriptor and runs nothing. For layers that it
// can't or must not read (encrypted, foreign, over a limit) it returns errors that wrap ErrUnchecked or ErrLimit.
package rootfs
