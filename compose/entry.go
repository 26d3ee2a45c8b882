package compose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Entry is one row of a list, and where its content is. It is a value: edits return another one.
type Entry struct {
	// Row is the descriptor as in the list, with unknown members and without white space.
	Row json.RawMessage
	// Descriptor is Row decoded.
	Descriptor v1.Descriptor
	// Config is the platform in the image's config when the entry was made; zero if it has none.
	Config v1.Platform
	// ConfigDigest is the digest of that config, which identifies copies of one image; zero if unknown.
	ConfigDigest v1.Hash
	// Artifact marks an entry that is not a runnable image, so no platform selects it.
	Artifact bool
	// Source is the source as it was given, SourceDigest its root at that time, Origin the transport that had it.
	Source       registry.Ref
	SourceDigest v1.Hash
	Origin       registry.Transport
	// RowNumber is the row's number in the published list that the entry was read from, or that of the row it replaces,
	// counted from 1; 0 for a new one.
	RowNumber int
	// Edits are the user's own edits of the row, oldest first: List.Refresh applies them again to the new row.
	Edits []Edit
	// OriginalDigest is the manifest's digest in the source if Edits changed it; zero otherwise.
	OriginalDigest v1.Hash
	// Attestations are the rows that describe this image: BuildKit's attestations, and artifacts such as its SOCI index,
	// which have its platform and must come after it. They move with the image.
	Attestations []Entry

	// Image is the image, nil until it is read (see List.Resolve). Attachment is the same for attestations and
	// artifacts.
	Image      *inspect.Image
	Attachment *inspect.Attachment
	// Borrowed are layers of the image that come from elsewhere, see List.Rebase. A draft can't hold them.
	Borrowed []Borrowed
	// List is the content of an entry that is itself a list. It is nil until that is read, and for other entries.
	List *inspect.Report

	ownConfig bool // no source has the image's config
}

// asList returns e, which names a list, with the content of that list.
func (e Entry) asList(r inspect.Report) Entry {
	e.Attachment = &inspect.Attachment{Row: e.Row, Descriptor: e.Descriptor, Manifest: r.Root}
	e.List = &r
	return e
}

// NewEntry returns an entry for a JSON descriptor. The error wraps registry.ErrContent.
func NewEntry(row json.RawMessage) (Entry, error) {
	small, err := compact(row)
	if err != nil {
		return Entry{}, fmt.Errorf("reading descriptor: %w", err)
	}
	e := Entry{Row: small}
	if err := json.Unmarshal(small, &e.Descriptor); err != nil {
		return Entry{}, fmt.Errorf("reading descriptor: %w: %w", registry.ErrContent, err)
	}
	if e.Descriptor.Digest == (v1.Hash{}) {
		return Entry{}, fmt.Errorf("reading descriptor: %w: no digest", registry.ErrContent)
	}
	return e, nil
}

// Digest returns the digest of the manifest that the entry names.
func (e Entry) Digest() v1.Hash { return e.Descriptor.Digest }

// Platform returns the platform that the row claims; zero if it claims none.
func (e Entry) Platform() v1.Platform {
	if e.Descriptor.Platform == nil {
		return v1.Platform{}
	}
	return *e.Descriptor.Platform
}

// Resolved reports whether the content of the entry and of its attestations has been read.
func (e Entry) Resolved() bool {
	if e.Image == nil && e.Attachment == nil {
		return false
	}
	return !slices.ContainsFunc(e.Attestations, func(a Entry) bool { return a.Attachment == nil })
}

// String returns the platform and the digest, for messages: "linux/arm64 sha256:…".
func (e Entry) String() string {
	return formatPlatform(e.Platform()) + " " + e.Digest().String()
}

// order returns a key that sorts rows: new ones come last.
func (e Entry) order() int {
	if e.RowNumber == 0 {
		return math.MaxInt
	}
	return e.RowNumber
}

// From returns where the content was found: the name as given, with the transport that had it.
func (e Entry) From() registry.Ref {
	if e.Origin == "" || e.Source.IsFile() {
		return e.Source
	}
	return e.Source.At(e.Origin)
}

// withRow returns e with another row for the same content.
func (e Entry) withRow(row json.RawMessage) (Entry, error) {
	n, err := NewEntry(row)
	if err != nil {
		return Entry{}, err
	}
	e.Row, e.Descriptor = n.Row, n.Descriptor
	return e, nil
}

// samePlatform reports whether both are images, or artifacts of one type, of one platform, including os.version and
// os.features. Entries without a platform never match.
func samePlatform(a, b Entry) bool {
	p, q := a.Platform(), b.Platform()
	if platform.IsUnknown(p) || platform.IsUnknown(q) || a.kind() != b.kind() {
		return false
	}
	return platform.Equal(p, q)
}

// sameSlot reports whether no client could tell a from b once their platforms are normalized.
func sameSlot(a, b Entry) bool {
	return a.slot() != "" && a.kind() == b.kind() && a.slot() == b.slot()
}

// kind returns "" for an image, and the type of an artifact.
func (e Entry) kind() string {
	switch {
	case !e.Artifact:
		return ""
	case e.Attachment != nil && e.Attachment.ArtifactType != "":
		return e.Attachment.ArtifactType
	}
	return cmp.Or(e.Descriptor.ArtifactType, "artifact")
}

func (e Entry) slot() string { return inspect.Slot(platform.Normalize(e.Platform()), e.Descriptor) }

// rival reports whether a and b can't both be in a list: they have one platform and are not copies of one image in
// different compressions.
func rival(a, b Entry) bool {
	return samePlatform(a, b) && (compression(a) == compression(b) || !sameBuild(a, b))
}

// sameBuild reports whether both are copies of one image. Old drafts lack the configs' digests.
func sameBuild(a, b Entry) bool {
	if a.ConfigDigest != (v1.Hash{}) && b.ConfigDigest != (v1.Hash{}) {
		return a.ConfigDigest == b.ConfigDigest
	}
	return a.SourceDigest == b.SourceDigest
}

func compression(e Entry) string { return inspect.CompressionOf(e.Descriptor) }

func (e Entry) isAttestation() bool {
	_, is := inspect.AttestationOf(e.Descriptor)
	return is
}

// belongings describes how many rows belong to the image, such as "2 attestations"; "" for none.
func (e Entry) belongings() string {
	attestations := 0
	for _, a := range e.Attestations {
		if a.isAttestation() {
			attestations++
		}
	}
	var parts []string
	if attestations > 0 {
		parts = append(parts, inspect.Count(attestations, "attestation"))
	}
	if artifacts := len(e.Attestations) - attestations; artifacts > 0 {
		parts = append(parts, inspect.Count(artifacts, "artifact"))
	}
	return strings.Join(parts, " and ")
}

func formatPlatform(p v1.Platform) string {
	if platform.IsUnknown(p) {
		return "no platform"
	}
	return platform.Format(p)
}

// Borrowed are layers of an image that its own source does not have.
type Borrowed struct {
	From   registry.Ref
	Source registry.Source
	Layers []v1.Descriptor
}

func (b Borrowed) has(digest v1.Hash) bool {
	return slices.ContainsFunc(b.Layers, func(l v1.Descriptor) bool { return l.Digest == digest })
}

// describe formats a platform with its os.features, which the canonical form leaves out.
func describe(p v1.Platform) string {
	s := formatPlatform(p)
	if len(p.OSFeatures) > 0 {
		s += " with os.features " + strings.Join(p.OSFeatures, ",")
	}
	return s
}
