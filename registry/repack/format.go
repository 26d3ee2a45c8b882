package repack

import (
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// Format is a compression of layers. The zero value is none.
type Format struct {
	Name  string // one of the constants
	Level int    // 0 is the default of the format
}

// The names of formats. The last two have a table of contents, by which clients read single files of a layer.
// https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md,
// https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md
const (
	Gzip        = "gzip"
	Zstd        = "zstd"
	ZstdChunked = "zstd:chunked"
	EStargz     = "estargz"
)

// formats are all formats, and the highest level of each.
var formats = []struct {
	name string
	most int
}{{Gzip, 9}, {ZstdChunked, 22}, {Zstd, 22}, {EStargz, 9}}

// Names returns the names of all formats.
func Names() []string { return []string{Gzip, Zstd, ZstdChunked, EStargz} }

// ParseFormat reads NAME or NAME:LEVEL, such as "zstd:chunked:9". The error wraps registry.ErrUsage.
func ParseFormat(s string) (Format, error) {
	for _, f := range formats {
		rest, ok := strings.CutPrefix(s, f.name)
		switch {
		case !ok || rest != "" && rest[0] != ':':
			continue
		case rest == "":
			return Format{Name: f.name}, nil
		}
		level, err := strconv.Atoi(rest[1:])
		if err != nil || level < 1 || level > f.most {
			return Format{}, registry.Usagef("reading compression %q: the levels of %s are 1 to %d", s, f.name, f.most)
		}
		return Format{f.name, level}, nil
	}
	return Format{}, registry.Usagef("reading compression %q: want one of %s, or one with a level, such as zstd:9", s,
		strings.Join(Names(), ", "))
}

// String returns what ParseFormat reads.
func (f Format) String() string {
	if f.Level == 0 {
		return f.Name
	}
	return f.Name + ":" + strconv.Itoa(f.Level)
}

// IsZstd reports whether clients need zstd to read a layer of this format.
func (f Format) IsZstd() bool { return f.Name == Zstd || f.Name == ZstdChunked }

// NeedsOCI reports whether only OCI manifests can name a layer of this format: Docker's have neither zstd nor
// annotations of layers.
func (f Format) NeedsOCI() bool { return f.Name != Gzip }

// MediaType returns the type of layers of this format, Docker's or OCI's.
func (f Format) MediaType(docker bool) types.MediaType {
	switch {
	case f.IsZstd():
		return types.OCILayerZStd
	case docker && f.Name == Gzip:
		return types.DockerLayer
	}
	return types.OCILayer
}

// dockerZstd is a type that some tools write for zstd layers of Docker images. Docker's format has no such layer.
const dockerZstd types.MediaType = "application/vnd.docker.image.rootfs.diff.tar.zstd"

// Packable reports whether a descriptor names a layer that can be packed in another format: a tar, compressed or not,
// that may be distributed and is not encrypted.
func Packable(d v1.Descriptor) bool {
	switch d.MediaType {
	case types.OCILayer, types.OCIUncompressedLayer, types.OCILayerZStd, dockerZstd, types.DockerLayer,
		types.DockerUncompressedLayer:
		return len(d.URLs) == 0
	}
	return false
}

// Holds reports whether the layer has the format already, as its descriptor says. A level is not known.
func (f Format) Holds(d v1.Descriptor) bool {
	table := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return d.Annotations[prefix] != "" })
	}
	zstd := d.MediaType == types.OCILayerZStd || d.MediaType == dockerZstd
	gzip := d.MediaType == types.OCILayer || d.MediaType == types.DockerLayer
	switch f.Name {
	case Gzip:
		return gzip
	case Zstd:
		return zstd
	case ZstdChunked:
		return zstd && table(tableDigest, "io.containers.zstd-chunked.manifest-checksum")
	case EStargz:
		return gzip && table(stargzDigest)
	}
	return false
}

// The annotations of layers with a table of contents.
const (
	chunkedPrefix = "io.github.containers.zstd-chunked."
	tableDigest   = chunkedPrefix + "manifest-checksum"
	tablePosition = chunkedPrefix + "manifest-position"
	splitPosition = chunkedPrefix + "tarsplit-position"
	stargzDigest  = "containerd.io/snapshot/stargz/toc.digest"
)

// DescribesPacking reports whether an annotation of a layer is about how it is packed, so that it is wrong for the
// layer in another format.
func DescribesPacking(annotation string) bool {
	return slices.ContainsFunc([]string{
		chunkedPrefix, "io.containers.zstd-chunked.", "containerd.io/snapshot/stargz/", "io.containers.estargz.",
	}, func(prefix string) bool { return strings.HasPrefix(annotation, prefix) })
}
