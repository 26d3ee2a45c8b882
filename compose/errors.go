package compose

import (
	"errors"

	"mtool/registry"
)

// Kinds of failure; test with errors.Is. The errors that carry them name what was asked and what was seen, and those
// with a next action implement registry.Hinter. A kind that can be mended by an option has a kind of its own.
var (
	// ErrEmpty: the list would have no entries. It is a registry.ErrUsage, as are ErrSelf, ErrAmbiguous, ErrTarget and those
	// about Docker's formats.
	ErrEmpty = kind("empty list", registry.ErrUsage)
	// ErrNothingLeft is an ErrEmpty: all images of a list would be removed.
	ErrNothingLeft = kind("empty list", ErrEmpty)
	// ErrSelf: a list is one of its own sources.
	ErrSelf = kind("a list can't be its own source", registry.ErrUsage)
	// ErrAmbiguous: a selector that fits several entries where one is needed.
	ErrAmbiguous = kind("more than one entry fits", registry.ErrUsage)
	// ErrTarget: a place where this can't be published, such as another digest than that of the list.
	ErrTarget = kind("can't be published there", registry.ErrUsage)
	// ErrDockerList and ErrDockerImage: Docker's format, which is asked for, has no room for something.
	ErrDockerList  = kind("a Docker list can't hold", registry.ErrUsage)
	ErrDockerImage = kind("a Docker image can't hold annotations", registry.ErrUsage)
	// ErrAttested: an edit would change the digest that attestations speak about, and they are to be kept.
	ErrAttested = kind("its attestations speak about the digest that it has now", registry.ErrUsage)
	// ErrUnknown: an edit would make a row claim a platform that does not exist.
	ErrUnknown = kind("unknown platform", registry.ErrUsage)
	// ErrDuplicate: two entries that a client can't tell apart.
	ErrDuplicate = errors.New("duplicate platform")
	// ErrPlatform: a platform that is missing, unknown, or not what the image's own config says.
	ErrPlatform = errors.New("wrong platform")
	// ErrNoPlatform is an ErrPlatform: nobody says what it is.
	ErrNoPlatform = kind("wrong platform", ErrPlatform)
	// ErrContradicts is an ErrPlatform: an edit would make a row claim what the image's config contradicts.
	ErrContradicts = kind("wrong platform", ErrPlatform)
	// ErrNoMatch: nothing has the wanted platform, digest or name.
	ErrNoMatch = errors.New("no match")
	// ErrMoved: a source or the published tag is not what it was when it was read. It is a registry.ErrConflict.
	ErrMoved = kind("moved", registry.ErrConflict)
	// ErrSourceMoved is the ErrMoved of a source.
	ErrSourceMoved = kind("moved", ErrMoved)
)

// kind is an error value that is also a more general kind, without repeating that one's text.
func kind(text string, parent error) error { return registry.WithKind(errors.New(text), parent) }
