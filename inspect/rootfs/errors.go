package rootfs

import (
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Kinds of failure. Layers whose bytes are not what they should be (digest, diffID, broken tar) wrap
// registry.ErrContent.
var (
	// ErrLimit: a layer or an image exceeds Limits. Every such error is a *LimitError.
	ErrLimit = errors.New("over the limit")
	// ErrUnchecked: a layer is of a kind that can't be read. Every such error is an *UncheckedError.
	ErrUnchecked = errors.New("not read")
	// ErrMissing: no such file in the image.
	ErrMissing = errors.New("not found in the image")
	// ErrUnread: not found, but not all layers were read.
	ErrUnread = errors.New("not found in the layers that were read")
	// ErrLoop: more than 40 symbolic links in one path, or more than 5 #! lines in a row.
	ErrLoop = errors.New("too many levels")
	// ErrNotRunnable: the file exists and can't be executed: a directory, no executable bit, or text without #!.
	ErrNotRunnable = errors.New("can't be executed")
	// ErrNotFollowed: what runs next depends on more than the image's files.
	ErrNotFollowed = errors.New("not followed")
	// ErrNoCommand: the image config has neither an entrypoint nor a command.
	ErrNoCommand = errors.New("the image has no command")
	// ErrSchema: facts of another version.
	ErrSchema = errors.New("unknown schema")
)

// LimitError says which limit a layer exceeded. It wraps ErrLimit.
type LimitError struct {
	Layer v1.Hash // zero if several layers exceeded it together
	What  string  // what there is too much of: "tar headers", "unpacked bytes" …
	Limit int64   // how much is allowed
	Path  string  // the file concerned, or ""
}

func (e *LimitError) Error() string {
	s := fmt.Sprintf("%v: more than %d %s", ErrLimit, e.Limit, e.What)
	if e.Path != "" {
		const most = 80 // an overlong path must not fill the screen
		s += fmt.Sprintf(" at %.*q", most, e.Path)
	}
	return s
}

func (e *LimitError) Unwrap() error { return ErrLimit }

// Reason says why a layer is not read.
type Reason string

// The reasons.
const (
	Encrypted   Reason = "encrypted"               // the media type ends in +encrypted
	Foreign     Reason = "foreign"                 // a foreign or non-distributable layer, whose urls are never fetched
	NotALayer   Reason = "not a tar layer"         // the media type is not one of a layer
	Compression Reason = "unsupported compression" // bzip2, xz
	Window      Reason = "zstd window over 32 MiB" // decompression needs too much memory
	// Ambiguous: runtimes unpack it differently.
	Ambiguous Reason = "runtimes read it differently"
)

// UncheckedError says why a layer was not read. It wraps ErrUnchecked.
type UncheckedError struct {
	Layer  v1.Hash
	Reason Reason
	Detail string // the media type, or what was seen instead; may be ""
}

func (e *UncheckedError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%v: %s", ErrUnchecked, e.Reason)
	}
	return fmt.Sprintf("%v: %s (%s)", ErrUnchecked, e.Reason, e.Detail)
}

func (e *UncheckedError) Unwrap() error { return ErrUnchecked }

// ambiguous returns the error about an entry that runtimes read differently.
func ambiguous(path, why string) error {
	const most = 80
	return &UncheckedError{Reason: Ambiguous, Detail: fmt.Sprintf("%.*q: %s", most, path, why)}
}
