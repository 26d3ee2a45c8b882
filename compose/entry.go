package compose

import (
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

// Entry is one row of a list, with where its bytes are. It is a value: edits return another one.
type Entry struct {
	// Row is the descriptor as it stands in the list, members we don't know included, white space removed.
	Row json.RawMessage
	// Descriptor is Row decoded.
	Descriptor v1.Descriptor
	// Config is the platform that the image's config stated when the entry was made; zero when it states none.
	Config v1.Platform
	// ConfigDigest is the digest of that config, by which two copies of one image are known; zero when it is not known.
	ConfigDigest v1.Hash
	// Artifact marks an entry that is no runnable image and has no platform to be found by.
	Artifact bool
	// Source is the source as it was told, SourceDigest what its root was then, Origin the transport that had it.
	Source       registry.Ref
	SourceDigest v1.Hash
	Origin       registry.Transport
	// Place is the row's number in the published list that the entry was read from, or that of the row it replaces,
	// counted from 1; 0 for a new one.
	Place int
	// Edits are the user's own edits of the row, oldest first: List.Refresh applies them again to the new row.
	Edits []Edit
	// Original is the digest that the source has, where Edits made another manifest of it; zero otherwise.
	Original v1.Hash
	// Attestations are the rows that speak about this image: attestations of BuildKit, and artifacts such as its SOCI index,
	// which have its platform and must stay behind it. They go where it goes.
	Attestations []Entry

	// Image is the image as read, nil until it is (see List.Resolve). Attached is the same for attestations and
	// artifacts.
	Image    *inspect.Image
	Attached *inspect.Attachment
	// Within is what is in an entry that is a list, nil until it is read and for all others.
	Within *inspect.Report
}

// within returns e, which names a list, with what was found there.
func (e Entry) within(r inspect.Report) Entry {
	e.Attached = &inspect.Attachment{Row: e.Row, Descriptor: e.Descriptor, Manifest: r.Root}
	e.Within = &r
	return e
}

// NewEntry makes an entry of a descriptor in JSON. The error wraps registry.ErrContent.
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

// Digest is the digest of the manifest that the entry names.
func (e Entry) Digest() v1.Hash { return e.Descriptor.Digest }

// Platform is what the row claims; zero when it claims nothing.
func (e Entry) Platform() v1.Platform {
	if e.Descriptor.Platform == nil {
		return v1.Platform{}
	}
	return *e.Descriptor.Platform
}

// Resolved reports whether the content of the entry and of its attestations has been read.
func (e Entry) Resolved() bool {
	if e.Image == nil && e.Attached == nil {
		return false
	}
	return !slices.ContainsFunc(e.Attestations, func(a Entry) bool { return a.Attached == nil })
}

// String is the platform and the digest, for messages: "linux/arm64 sha256:…".
func (e Entry) String() string {
	return formatPlatform(e.Platform()) + " " + e.Digest().String()
}

// place orders rows: the new ones last.
func (e Entry) place() int {
	if e.Place == 0 {
		return math.MaxInt
	}
	return e.Place
}

// From is where the content was found: the name as told, in the place that had it.
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

// samePlatform reports whether both are images, or both artifacts, of one platform, os.version and os.features
// included. Entries without a platform are never alike.
func samePlatform(a, b Entry) bool {
	p, q := a.Platform(), b.Platform()
	if platform.IsUnknown(p) || platform.IsUnknown(q) || a.Artifact != b.Artifact {
		return false
	}
	return platform.Equal(p, q)
}

// sameSlot reports whether no client could tell a from b once their rows have the normal names of their platforms.
func sameSlot(a, b Entry) bool {
	return a.slot() != "" && a.Artifact == b.Artifact && a.slot() == b.slot()
}

func (e Entry) slot() string { return inspect.Slot(platform.Normalize(e.Platform()), e.Descriptor) }

// rival reports whether a and b can't both be in a list: they are of one platform, and no copies of one image in
// different compressions.
func rival(a, b Entry) bool {
	return samePlatform(a, b) && (compression(a) == compression(b) || !sameBuild(a, b))
}

// sameBuild reports whether both are copies of one image. Drafts of old don't have the configs' digests.
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

// belongings counts the rows that belong to the image, for people; "" for none.
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
