// Package baseimage reports whether images are built on the current version of their base images.
//
// An image names its base in the annotations org.opencontainers.image.base.name and base.digest of its manifest or its
// row, or in labels of these names (see inspect.Image.Base). Judge compares it with that base as it is now: the lowest
// layers of an image must unpack to those of its base. The layers decide, not the digest that the image names: a list
// gets another digest by a change of another platform. Package baseimage reads nothing itself.
package baseimage
