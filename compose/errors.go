package compose

import (
	"errors"

	"mtool/registry"
)

// Kinds of failure; test with errors.Is. The errors that carry them name what was asked and what was seen, and those
// with a next action implement registry.Hinter.
var (
	// ErrEmpty: the list would have no entries. It is a registry.ErrUsage, as are ErrSelf, ErrAmbiguous and ErrTarget.
	ErrEmpty error = kind{"empty list", registry.ErrUsage}
	// ErrSelf: a list is one of its own sources.
	ErrSelf error = kind{"a list can't be its own source", registry.ErrUsage}
	// ErrAmbiguous: a selector that fits several entries where one is needed.
	ErrAmbiguous error = kind{"more than one entry fits", registry.ErrUsage}
	// ErrTarget: a place where this can't be published, such as another digest than that of the list.
	ErrTarget error = kind{"can't be published there", registry.ErrUsage}
	// ErrDuplicate: two entries that a client can't tell apart.
	ErrDuplicate = errors.New("duplicate platform")
	// ErrPlatform: a platform that is missing, unknown, or not what the image's own config says.
	ErrPlatform = errors.New("wrong platform")
	// ErrNoMatch: nothing has the wanted platform, digest or name.
	ErrNoMatch = errors.New("no match")
	// ErrMoved: a source or the published tag is not what it was when it was read. It is a registry.ErrConflict.
	ErrMoved error = kind{"moved", registry.ErrConflict}
	// ErrOverwrite: a single image would take the tag of a list. It is a registry.ErrConflict.
	ErrOverwrite error = kind{"refusing to overwrite a list", registry.ErrConflict}
	// ErrTaken: a tag that must not move has something else. It is a registry.ErrConflict.
	ErrTaken error = kind{"the tag is taken", registry.ErrConflict}
)

// kind is an error value that is also a more general kind, without repeating that one's text.
type kind struct {
	text   string
	parent error
}

func (k kind) Error() string { return k.text }

func (k kind) Unwrap() error { return k.parent }
