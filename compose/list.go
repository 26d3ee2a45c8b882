package compose

import (
	"encoding/json"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// Type is the kind of list to write.
type Type string

// The types. TypeAuto writes a Docker list if all entries are Docker images and nothing in the list needs OCI, else
// an OCI index.
const (
	TypeAuto   Type = ""
	TypeOCI    Type = "oci"
	TypeDocker Type = "docker"
)

// ParseType reads "auto", "oci" or "docker". The error wraps registry.ErrUsage.
func ParseType(s string) (Type, error) {
	switch Type(s) {
	case TypeAuto, "auto":
		return TypeAuto, nil
	case TypeOCI, TypeDocker:
		return Type(s), nil
	}
	return "", registry.Usagef("reading list type %q: want auto, oci or docker", s)
}

// List is a list of images as a value. The zero List with a Name is an empty list, ready for Add. Its methods return
// another List; nothing in it may be changed in place.
type List struct {
	// Name is what the list is called: a repository and a tag.
	Name        registry.Ref
	Type        Type
	Annotations map[string]string
	// Members are other members of the list's JSON that were set or, if null, removed: see WithArtifactType.
	Members map[string]json.RawMessage
	Entries []Entry
	// Base is the published list that this one derives from; empty for a new list. Unknown members, artifactType,
	// subject and the order of rows come from it, and its digest guards the tag (see Tag.Base).
	Base registry.Manifest
}

// Sources returns the distinct sources of the entries as they were given, in order. They must be read again before a
// list from a draft can be published, see Resolve.
func (l List) Sources() []registry.Ref {
	var refs []registry.Ref
	for _, e := range l.Entries {
		if !slices.Contains(refs, e.Source) {
			refs = append(refs, e.Source)
		}
	}
	return refs
}

// Platforms returns the platforms that the rows claim, in order; entries without one are left out.
func (l List) Platforms() []v1.Platform {
	var out []v1.Platform
	for _, e := range l.Entries {
		if e.Descriptor.Platform != nil {
			out = append(out, *e.Descriptor.Platform)
		}
	}
	return out
}

// images returns the list without its artifacts.
func (l List) images() List {
	return l.with(slices.DeleteFunc(slices.Clone(l.Entries), func(e Entry) bool { return e.Artifact }))
}

func (l List) with(entries []Entry) List {
	l.Entries = entries
	return l
}

func isDocker(t types.MediaType) bool {
	return t == types.DockerManifestSchema2 || t == types.DockerManifestList || t == types.DockerManifestSchema1 ||
		t == types.DockerManifestSchema1Signed
}

// Sorted returns the list with entries sorted by platform, those without one last. Rows of a published list keep
// their positions.
func (l List) Sorted() List {
	sorted := slices.Clone(l.Entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int {
		if a.Artifact != b.Artifact {
			if a.Artifact {
				return 1
			}
			return -1
		}
		return strings.Compare(formatPlatform(a.Platform()), formatPlatform(b.Platform()))
	})
	return l.with(sorted)
}

// Digests returns the digests of the entries, as they are and as their sources have them, and of what belongs to them.
// A source may have more than the list takes.
func (l List) Digests() map[v1.Hash]bool {
	all := map[v1.Hash]bool{}
	for _, e := range l.Entries {
		all[e.Digest()], all[e.OriginalDigest] = true, true
		for _, a := range e.Attestations {
			all[a.Digest()] = true
		}
	}
	return all
}
