// Package rootfs says which files an image really shows: its layers are read as streams, laid over each other as a
// runtime would, and nothing is unpacked.
//
// Most callers need two calls: ScanAll, which reads layers into LayerFacts, and Merge, which makes one Tree of the
// facts of an image's layers. Tree.All then lists what is visible, and Tree.Command follows the image's command through
// links, PATH, #! lines and inits to the programs that will run.
//
// What a file is says an Examiner, which sees the bytes of every regular file: package binary, as a rule. Facts hold
// observations only, can be kept by layer digest as JSON, and are made only of layers that were read to their end and
// had the digest and the diffID that were asked for. Layers follow the OCI image specification,
// https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md.
//
// The package never judges, writes no file, fetches no urls of a descriptor and runs nothing. Layers that it can't or
// must not read (encrypted, foreign, over a limit) are errors that wrap ErrUnchecked or ErrLimit.
package rootfs
