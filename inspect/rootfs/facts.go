package rootfs

import (
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// Schema is the version of LayerFacts as JSON. Facts of another version are not used.
const Schema = "mtool.layer/v3"

// LayerFacts are observations about one layer, not verdicts: what its files are, and what it changes in the layers
// below. They exist only for layers that were read to their end with the right digest and diffID. Paths are clean and
// have no leading slash. The zero value stands for a layer that was not read: see Merge.
//
// They can be stored as JSON by Digest. Names that are not UTF-8 are preserved.
type LayerFacts struct {
	Schema   string  `json:"schema"`
	Examiner string  `json:"examiner"` // Options.Examiner
	Digest   v1.Hash `json:"digest"`   // of the layer as it is transferred
	DiffID   v1.Hash `json:"diffID"`   // of the unpacked tar stream
	Size     int64   `json:"size"`     // as transferred, in bytes
	Unpacked int64   `json:"unpacked"` // in bytes
	Headers  int64   `json:"headers"`  // tar headers read
	// Table is about the layer's table of contents, if the manifest says that it has one.
	Table *TableFacts `json:"table,omitempty"`
	// Part says which part of the layer the facts are about. Facts about a part can't be stored: they have no JSON.
	Part Part `json:"-"`
	// Files are programs, links and texts, sorted by path.
	Files []File `json:"files,omitempty"`
	// Folders are all directories, sorted by path, with the names of all files that are not in Files.
	Folders []Folder `json:"folders,omitempty"`
	// Whiteouts are the paths that this layer removes from those below, sorted.
	Whiteouts []string `json:"whiteouts,omitempty"`
	// Skipped are the paths of entries that some runtimes skip and others apply, sorted: devices, which need privileges,
	// and PAX global headers, which have names without being files.
	Skipped []string `json:"skipped,omitempty"`
}

// Part is the part of a layer that facts are about.
type Part string

// The parts.
const (
	Whole     Part = ""          // read to its end, with the right digest and diffID
	Beginning Part = "beginning" // Options.Enough ended reading; nothing was verified
	Listed    Part = "listed"    // read by its table of contents (see Table); files are Unread until they are examined
)

// Type is the kind of a file.
type Type string

// The types.
const (
	Program   Type = "program"   // a regular file in a format that is executed or loaded: ELF, PE, Mach-O, #!, Java, wasm
	Plain     Type = "plain"     // any other file that is not a directory or link
	Symlink   Type = "symlink"   // a symbolic link
	Hardlink  Type = "hardlink"  // only in LayerFacts: a hard link to a file of a lower layer
	Directory Type = "directory" // only in a Tree
	Unread    Type = "unread"    // a regular file that a table of contents lists
)

// File is a program, a link or a text.
type File struct {
	Path   string      `json:"path"`
	Type   Type        `json:"type"`
	Mode   fs.FileMode `json:"mode,omitempty"`   // the permission bits
	Size   int64       `json:"size,omitempty"`   // in bytes
	Target string      `json:"target,omitempty"` // of a link, as the layer has it
	// Fact describes a program. Hard links share it, so it must not be changed.
	Fact *binary.Fact `json:"fact,omitempty"`
	// Text is what Options.Extract returned for a Plain file. No other Plain file is in LayerFacts.Files.
	Text string `json:"text,omitempty"`
	// Problem is the Examiner's error; Fact has what was read before it.
	Problem string `json:"problem,omitempty"`

	parts  []part  // where the content of an Unread file is
	origin *origin // where the file is listed, if it was found by a hard link elsewhere
}

// origin is a layer, and a path in it.
type origin struct {
	layer int
	path  string
}

// Runnable reports whether the file has an executable bit.
func (f *File) Runnable() bool { return f.Mode&0o111 != 0 }

// Folder is a directory, with the names of files in it that matter only because they hide those of lower layers.
type Folder struct {
	Path string `json:"path"` // "" is the root
	// Names are the names of Plain files without an executable bit, sorted and joined with slashes, which no name can
	// contain.
	Names string `json:"names,omitempty"`
	// Runnable are the names of those with an executable bit.
	Runnable string `json:"runnable,omitempty"`
	// Opaque hides everything that lower layers have in the directory.
	Opaque bool `json:"opaque,omitempty"`
	// Replaced says that the directory replaced another entry of the layer, such as a whiteout, or that it is a root
	// with an opaque marker. If layers are unpacked in place, its content in lower layers is gone; overlayfs shows it.
	Replaced bool `json:"anew,omitempty"`
	// Implied says that the directory has no entry of its own. If layers are unpacked in place, a link of a lower layer
	// there is followed; in overlayfs, a directory replaces it.
	Implied bool `json:"implied,omitempty"`
	// Late says that the entry of the directory came after entries in it.
	Late bool `json:"late,omitempty"`
}
