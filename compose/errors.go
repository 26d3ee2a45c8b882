package compose

import (
	"errors"

	"mtool/registry"
)

// Kinds of failure; test with errors.Is. The errors that wrap them name what was requested and what was found, and
// those with a next action implement registry.Hinter. A failure that an option can avoid has its own kind.
var (
	// ErrEmpty means that the list would have no entries. It is a registry.ErrUsage, as are ErrSelf, ErrAmbiguous,
	// ErrTarget and those about Docker's formats.
	ErrEmpty = kind("empty list", registry.ErrUsage)
	// ErrNothingLeft is an ErrEmpty: all images of a list would be removed.
	ErrNothingLeft = kind("empty list", ErrEmpty)
	// ErrSelf means that a list is one of its own sources.
	ErrSelf = kind("a list can't be its own source", registry.ErrUsage)
	// ErrAmbiguous means that a selector matches several entries where one is needed.
	ErrAmbiguous = kind("more than one entry fits", registry.ErrUsage)
	// ErrTarget means that the list can't be published to a target, such as a digest other than the list's.
	ErrTarget = kind("can't be published there", registry.ErrUsage)
	// ErrDockerList and ErrDockerImage mean that the requested Docker format can't represent something.
	ErrDockerList  = kind("a Docker list can't hold", registry.ErrUsage)
	ErrDockerImage = kind("a Docker image can't hold annotations", registry.ErrUsage)
	// ErrDockerEntries means that a Docker list was requested of images that are not Docker's, ErrDockerLayers that a
	// Docker image was requested of layers that Docker's format does not have.
	ErrDockerEntries = kind("a Docker list can't hold", registry.ErrUsage)
	ErrDockerLayers  = kind("a Docker image can't hold", registry.ErrUsage)
	// ErrAttested means that an edit would change the digest that attestations describe, and they must be kept.
	ErrAttested = kind("its attestations speak about the digest that it has now", registry.ErrUsage)
	// ErrUnknown means that an edit would make a row claim a platform that does not exist.
	ErrUnknown = kind("unknown platform", registry.ErrUsage)
	// ErrDuplicate means that a client can't tell two entries apart.
	ErrDuplicate = errors.New("duplicate platform")
	// ErrPlatform means that a platform is missing, unknown, or not the one in the image's config.
	ErrPlatform = errors.New("wrong platform")
	// ErrNoPlatform is an ErrPlatform: neither row nor config names one.
	ErrNoPlatform = kind("wrong platform", ErrPlatform)
	// ErrContradicts is an ErrPlatform: an edit would make a row claim what the image's config contradicts.
	ErrContradicts = kind("wrong platform", ErrPlatform)
	// ErrNoMatch means that nothing has the wanted platform, digest or name.
	ErrNoMatch = errors.New("no match")
	// ErrMoved means that a source or the published tag has changed since it was read. It is a registry.ErrConflict.
	ErrMoved = kind("moved", registry.ErrConflict)
	// ErrSourceMoved is the ErrMoved of a source.
	ErrSourceMoved = kind("moved", ErrMoved)
)

// kind returns an error that is also a more general kind, without repeating that one's text.
func kind(text string, parent error) error { return registry.WithKind(errors.New(text), parent) }
