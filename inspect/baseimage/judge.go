package baseimage

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
)

// State is the result of comparing an image with its base.
type State string

// The states. All but Current fail a check.
const (
	Current  State = "current"
	Outdated State = "outdated" // the base has changed since
	Unnamed  State = "unnamed"  // the image names no base
	Unknown  State = "unknown"  // the base could not be read, or has no such platform
)

// Standing is the result for one image.
type Standing struct {
	Platform string   `json:"platform"`
	Digest   v1.Hash  `json:"digest"`
	Base     string   `json:"base,omitempty"`
	State    State    `json:"state"`
	Was      string   `json:"was,omitempty"`   // the digest that the image names
	Now      *v1.Hash `json:"now,omitempty"`   // of the base's image for the platform
	Reason   string   `json:"reason,omitzero"` // why it is not Current
}

// Judge compares an image with its base as it is now; err is why that could not be read.
func Judge(img inspect.Image, name string, now inspect.Report, err error) Standing {
	s := Standing{
		Platform: platform.Format(img.Platform()), Digest: img.Descriptor.Digest, Base: name, Was: img.Base().Digest,
		State: Unknown,
	}
	switch {
	case name == "":
		s.State, s.Reason = Unnamed, "it names no base image"
		return s
	case err != nil:
		s.Reason = err.Error()
		return s
	case img.Err != nil:
		s.Reason = img.Err.Error()
		return s
	}
	base, found := now.Serving(img.Platform())
	if !found {
		s.Reason = fmt.Sprintf("the base has no %s now", s.Platform)
		return s
	}
	s.Now = &base.Descriptor.Digest
	on, err := madeOn(img, base)
	switch {
	case err != nil:
		s.Reason = err.Error()
	case on:
		s.State = Current
	default:
		s.State, s.Reason = Outdated, "its lowest layers are not those of the base now"
	}
	return s
}

// madeOn reports whether the lowest layers of an image unpack to those of base.
func madeOn(img, base inspect.Image) (bool, error) {
	if base.Err != nil {
		return false, base.Err
	}
	image, err := img.Details()
	if err != nil {
		return false, err
	}
	lower, err := base.Details()
	if err != nil {
		return false, err
	}
	if len(lower.DiffIDs) > len(image.DiffIDs) {
		return false, nil
	}
	for i, layer := range lower.DiffIDs {
		if image.DiffIDs[i] != layer {
			return false, nil
		}
	}
	return true, nil
}
