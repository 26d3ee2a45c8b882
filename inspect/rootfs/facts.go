package rootfs

import (
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// Schema is the version of LayerFacts as JSON. Facts of another version are read anew.
const Schema = "mtool.layer/v3"

// LayerFacts are the observations in one layer, never verdicts: what its files are, and what it does to the layers
// below. They exist only for layers that were read to their end and had the right digest and diffID. Paths have no
// leading slash and are clean. The zero value stands for a layer that was not read: see Merge.
//
// As JSON they can be kept by Digest. Names that are not UTF-8 survive it.
type LayerFacts struct {
	Schema   string  `json:"schema"`
	Examiner string  `json:"examiner"` // Options.Examiner
	Digest   v1.Hash `json:"digest"`   // of the layer as it is transferred
	DiffID   v1.Hash `json:"diffID"`   // of the unpacked tar stream
	Size     int64   `json:"size"`     // as transferred, in bytes
	Unpacked int64   `json:"unpacked"` // in bytes
	Headers  int64   `json:"headers"`  // tar headers read
	// Table is what was found out about the layer's table of contents, if the manifest says that it has one.
	Table *TableFacts `json:"table,omitempty"`
	// Part says that the facts are not of the whole layer. Such facts are never kept: they have no JSON.
	Part Part `json:"-"`
	// Files are programs, links and texts, sorted by path.
	Files []File `json:"files,omitempty"`
	// Folders are all directories, sorted by path, with the names of everything that is not in Files.
	Folders []Folder `json:"folders,omitempty"`
	// Whiteouts are the paths that this layer removes from those below, sorted.
	Whiteouts []string `json:"whiteouts,omitempty"`
	// Skipped are the paths of entries that some runtimes leave out and others act upon, sorted: devices, which not
	// everybody may make, and PAX global headers, which are no files and have names nevertheless.
	Skipped []string `json:"skipped,omitempty"`
}

// Part is how much of a layer facts are about.
type Part string

// The parts.
const (
	Whole     Part = ""          // read to its end; digest and diffID are right
	Beginning Part = "beginning" // Options.Enough said that it will do; nothing was compared
	Listed    Part = "listed"    // by its table of contents (see Table); files are Unread until they are asked for
)

// Type is what kind of file a path is.
type Type string

// The types.
const (
	Program   Type = "program"   // a regular file in a format that is executed or loaded: ELF, PE, Mach-O, #!, Java, wasm
	Plain     Type = "plain"     // anything else that is no directory and no link
	Symlink   Type = "symlink"   // a symbolic link
	Hardlink  Type = "hardlink"  // in LayerFacts: a hard link to a file of a lower layer
	Directory Type = "directory" // in a Tree only
	Unread    Type = "unread"    // a regular file that a table of contents lists
)

// File is a program, a link or a text.
type File struct {
	Path   string      `json:"path"`
	Type   Type        `json:"type"`
	Mode   fs.FileMode `json:"mode,omitempty"`   // the permission bits
	Size   int64       `json:"size,omitempty"`   // in bytes
	Target string      `json:"target,omitempty"` // of a link, as the layer has it
	// Fact is what a program is. Hard links share it, so that nobody may change it.
	Fact *binary.Fact `json:"fact,omitempty"`
	// Text is what Options.Extract made of a Plain file. No other Plain file is in LayerFacts.Files.
	Text string `json:"text,omitempty"`
	// Problem is what the Examiner stumbled upon; Fact has what was seen until then.
	Problem string `json:"problem,omitempty"`

	parts []part // where an Unread file lies
	home  *home  // where it is listed, if that is not where it was found
}

// home is a layer, and a path in it.
type home struct {
	layer int
	path  string
}

// Runnable reports whether anybody may execute the file.
func (f *File) Runnable() bool { return f.Mode&0o111 != 0 }

// Folder is a directory and the names in it that only matter since they hide what lower layers have there.
type Folder struct {
	Path string `json:"path"` // "" is the root
	// Names are those of Plain files without an executable bit, sorted and joined with slashes, which no name can contain.
	Names string `json:"names,omitempty"`
	// Runnable are those with one.
	Runnable string `json:"runnable,omitempty"`
	// Opaque hides everything that lower layers have in the directory.
	Opaque bool `json:"opaque,omitempty"`
	// Anew says that the directory took the place of something else that the layer had there, such as a whiteout, or that
	// it is a root with an opaque marker. Where layers are unpacked in place, what lower layers have in it is gone;
	// overlayfs shows it.
	Anew bool `json:"anew,omitempty"`
	// Implied says that the directory has no entry of its own. Where layers are unpacked in place, a link of a lower layer
	// there is followed; in overlayfs, a directory takes its place.
	Implied bool `json:"implied,omitempty"`
	// Late says that the entry of the directory came after some of what is in it.
	Late bool `json:"late,omitempty"`
}
