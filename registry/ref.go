package registry

import (
	"strings"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Transport is the kind of storage that a Ref points to, spelled as in containers-transports(5) if it is listed there.
type Transport string

// The transports.
const (
	TransportRegistry      Transport = "docker"
	TransportStore         Transport = "store"
	TransportDraft         Transport = "draft"
	TransportLayout        Transport = "oci"
	TransportArchive       Transport = "oci-archive"
	TransportDockerArchive Transport = "docker-archive"
	TransportDirectory     Transport = "dir" // as skopeo and podman write them
	TransportEngine        Transport = "docker-daemon"
	TransportContainers    Transport = "containers-storage" // podman's and buildah's own store
)

// Ref is a name, as typed and normalised. It is a comparable value; ParseRef makes one.
type Ref struct {
	Transport Transport
	Host      string // registry host, with port as written: "docker.io", "127.0.0.1:5000"; "" for files
	Repo      string // path within the host: "library/demo"; "" for files
	// "latest" when neither tag nor digest was typed, "" when only a digest was; files: "" when not typed
	Tag    string
	Digest v1.Hash // zero when none was typed
	Path   string  // directory or file, for files
	Typed  string  // as the user typed it
	// typed without transport and registry host ("localhost" is not one): looked up in drafts, store and registry. A
	// digest in docker.io/library is Bare too: that is what commands print of an image that only the store has.
	Bare bool
}

// String returns the reference as it was understood: "docker.io/library/demo:v1", "store:docker.io/library/demo:v1",
// "oci:dir:tag". ParseRef parses it to the same value. A name in a registry has "docker://" in front only where it
// could be read as another transport (the host "store:5000").
func (r Ref) String() string {
	name := r.Name()
	if r.Transport != TransportRegistry {
		return string(r.Transport) + ":" + name
	}
	if _, _, ambiguous := cutTransport(name); ambiguous {
		return registryPrefix + name
	}
	return name
}

// Name returns the full name with tag and digest, without the transport: "docker.io/library/demo:v1". For files it is
// the path with tag and digest.
func (r Ref) Name() string {
	name := r.Path
	if !r.IsFile() {
		name = r.Repository()
	}
	if r.Tag != "" {
		name += ":" + r.Tag
	}
	if r.Digest != (v1.Hash{}) {
		name += "@" + r.Digest.String()
	}
	return name
}

// Familiar returns the short form that people know: "demo:v1" for docker.io/library/demo:v1. For files it is Name.
func (r Ref) Familiar() string {
	if r.IsFile() {
		return r.Name()
	}
	named, err := reference.ParseNormalizedNamed(r.Name())
	if err != nil {
		return r.Name()
	}
	return reference.FamiliarString(named)
}

// Repository returns host and path: "docker.io/library/demo"; "" for files.
func (r Ref) Repository() string {
	if r.IsFile() {
		return ""
	}
	return r.Host + "/" + r.Repo
}

// SameRepository reports whether two names are in one repository, file or directory, whatever their tags and digests.
func (r Ref) SameRepository(o Ref) bool {
	return r.Transport == o.Transport && r.Host == o.Host && r.Repo == o.Repo && r.Path == o.Path
}

// At returns the same name with transport t; it is no longer Bare.
func (r Ref) At(t Transport) Ref {
	r.Transport, r.Bare = t, false
	return r
}

// WithDigest returns the same repository or file at digest h, without a tag.
func (r Ref) WithDigest(h v1.Hash) Ref {
	r.Tag, r.Digest = "", h
	return r
}

// WithTag returns the same repository or file at tag, without a digest.
func (r Ref) WithTag(tag string) Ref {
	r.Tag, r.Digest = tag, v1.Hash{}
	return r
}

// IsFile reports whether the reference is an OCI layout, a directory of skopeo, or an archive.
func (r Ref) IsFile() bool {
	switch r.Transport {
	case TransportLayout, TransportDirectory, TransportArchive, TransportDockerArchive:
		return true
	}
	return false
}

// Foreign reports whether the reference is in another program's store: Docker Engine's or podman's.
func (r Ref) Foreign() bool {
	return r.Transport == TransportEngine || r.Transport == TransportContainers
}

// MayBeDraft reports whether a draft can have the name: one that is typed as a draft's, or without a digest and a
// place.
func (r Ref) MayBeDraft() bool {
	return r.Transport == TransportDraft || r.Transport == TransportRegistry && r.Digest == (v1.Hash{})
}

// Local reports whether the name most likely belongs to something on this machine: it was typed without transport, host
// and '/' ("demo:v1-arm64"), or is below podman's "localhost/". As a source it is never looked up in a registry.
func (r Ref) Local() bool { return r.Bare && (r.Host == podmanHost || !strings.Contains(r.Typed, "/")) }

const (
	digits      = "0123456789"
	letters     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	longestTag  = 128
	hexDigits   = digits + "abcdef"
	longestID   = 64
	tagFirst    = letters + digits + "_"
	tagFollowed = tagFirst + ".-"
)

// IsTag reports whether registries accept name as a tag:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
func IsTag(name string) bool {
	// No regular expression: a counted repetition is slow to compile, and every start of the program would pay for it.
	return name != "" && len(name) <= longestTag && strings.Contains(tagFirst, name[:1]) &&
		strings.Trim(name, tagFollowed) == ""
}

// podmanHost begins the names of images that podman builds. It is seldom a registry.
const podmanHost = "localhost"

// cutTransport splits "oci:dir" into transport and rest. "docker:" without slashes is an image named docker.
func cutTransport(s string) (t Transport, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, registryPrefix); ok {
		return TransportRegistry, rest, true
	}
	if rest, ok = strings.CutPrefix(s, layoutPrefix); ok {
		return TransportLayout, rest, true
	}
	before, rest, ok := strings.Cut(s, ":")
	if !ok {
		return "", s, false
	}
	switch t = Transport(before); t {
	case TransportStore, TransportDraft, TransportEngine, TransportContainers, TransportLayout, TransportDirectory,
		TransportArchive, TransportDockerArchive:
		return t, rest, true
	}
	return "", s, false
}

const (
	registryPrefix = "docker://"
	layoutPrefix   = "oci-layout://" // what buildx and BuildKit write for oci:
)
