// Package regular opens files that somebody else may have put there: what a flag, a setting or another file names, and what
// lies in a layout or a build context.
//
// Read and Open take a path, ReadIn and OpenIn one below an os.Root, whose links can't lead out. All of them open regular
// files only, without waiting: a named pipe, a device or a socket is an error, and so is a file with more bytes than the
// caller wants. ReadTyped is for what the user typed: it takes the pipes of <(command) too.
//
// It writes nothing, and knows nothing of images: it is a leaf, which every package may import.
package regular
