// Package regular opens files that somebody else may have put there: files that a flag, a setting or another file
// names, and files in a layout or a build context.
//
// Read and Open take a path, ReadIn and OpenIn one below an os.Root, whose links can't lead out. All of them open
// regular files only, without waiting: a named pipe, a device or a socket is an error, and so is a file with more bytes
// than the caller wants. ReadTyped is for paths that the user typed, and reads the pipes of <(command) too.
//
// The package writes nothing and knows nothing of images. It is a leaf, which every package may import.
package regular
