package compose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// FromReport makes entries of one source, an image or a list of any depth, with notes for the user. Rows of a list
// are kept byte for byte. A row without a platform, and the row made for a single image, gets the config's platform.
//
// Errors, joined in entry order, wrap ErrNoMatch (no image has a wanted platform), ErrEmpty (there is no image),
// ErrPlatform (missing, unknown, or not the config's) or the error of reading the content.
func FromReport(r inspect.Report, o SelectOptions) ([]Entry, []string, error) {
	s := selection{report: r, options: o, source: o.As}
	if s.source == (registry.Ref{}) {
		s.source = r.Ref
	}
	if o.KeepLists && r.List != nil {
		e, err := s.listEntry()
		return []Entry{e}, []string{fmt.Sprintf("%q is a list, kept as one", r.Ref)}, err
	}
	var failed []error
	for _, img := range r.Images {
		if !s.matches(img) {
			continue
		}
		if img.Err != nil && s.leaveOut(img) {
			continue
		}
		if err := s.addImage(img); err != nil {
			failed = append(failed, fmt.Errorf("taking %s of %q: %w", nameOf(img), r.Ref, err))
		}
	}
	for _, other := range r.Others {
		if err := s.addOther(other); err != nil {
			failed = append(failed, fmt.Errorf("taking %s of %q: %w", other.Descriptor.Digest, r.Ref, err))
		}
	}
	if len(failed) > 0 {
		return nil, nil, errors.Join(failed...)
	}
	if len(s.entries) == 0 {
		return nil, s.notes, s.nothing()
	}
	return s.entries, append(s.summary(), s.notes...), nil
}

// selection is the state of one FromReport.
type selection struct {
	report  inspect.Report
	options SelectOptions
	source  registry.Ref
	entries []Entry
	notes   []string
	dropped int // attestations left out by the options
}

func (s *selection) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// matches compares what the image claims, as clients do, and if it claims nothing its config.
func (s *selection) matches(img inspect.Image) bool {
	have := img.Claim()
	if platform.IsUnknown(have) {
		have = img.Config
	}
	return s.wants(have)
}

// wants reports whether the options take this platform.
func (s *selection) wants(have v1.Platform) bool {
	if len(s.options.Platforms) == 0 {
		return true
	}
	return slices.ContainsFunc(s.options.Platforms, func(w v1.Platform) bool { return platform.Satisfies(have, w) })
}

func (s *selection) addImage(img inspect.Image) error {
	if img.Err != nil {
		return img.Err
	}
	e, err := s.imageEntry(img)
	if err != nil {
		return err
	}
	belongings := slices.Concat(img.Attestations, img.Artifacts)
	if s.options.Attestations == DropAttestations {
		s.dropped += len(img.Attestations)
		belongings = img.Artifacts
	}
	for _, att := range belongings {
		if att.Err != nil {
			return fmt.Errorf("reading what belongs to it, %s: %w", att.Descriptor.Digest, att.Err)
		}
		a, err := s.attached(att)
		if err != nil {
			return err
		}
		e.Attestations = append(e.Attestations, a)
	}
	if e, err = s.respell(e); err != nil {
		return err
	}
	s.entries = append(s.entries, e)
	return nil
}

// respell makes a row with an unusual spelling say what runtimes look for. A row is not part of the image, so it may
// change.
func (s *selection) respell(e Entry) (Entry, error) {
	stated := e.Platform()
	right, odd := platform.Misspelled(stated)
	if !odd {
		return e, nil
	}
	right.OSFeatures = stated.OSFeatures
	s.note("%s of %q says %s: its row says %s, which runtimes look for", e.Digest(), s.report.Ref, describe(stated),
		describe(right))
	return e.claiming(right)
}

func (s *selection) imageEntry(img inspect.Image) (Entry, error) {
	e, err := NewEntry(img.Row)
	if err != nil {
		return Entry{}, err
	}
	e.Image, e.Config, e.ConfigDigest = &img, img.Config, img.ConfigOf.Digest
	e = s.stamp(e)
	return s.reconcile(e)
}

// listEntry returns the source itself as one row.
func (s *selection) listEntry() (Entry, error) {
	row, err := json.Marshal(s.report.Root.Descriptor())
	if err != nil {
		return Entry{}, err
	}
	e, err := NewEntry(row)
	e.Artifact = true
	return s.stamp(e).asList(s.report), err
}

func (s *selection) attached(a inspect.Attachment) (Entry, error) {
	e, err := NewEntry(a.Row)
	e.Attachment = &a
	return s.stamp(e), err
}

// stamp records where the entry is from.
func (s *selection) stamp(e Entry) Entry {
	e.Source, e.SourceDigest, e.Origin = s.source, s.report.Root.Digest, s.report.Ref.Transport
	return e
}

// reconcile makes claim and config agree. Flattening must not lose what only the surrounding list says.
func (s *selection) reconcile(e Entry) (Entry, error) {
	claim := e.Image.Claim()
	if platform.IsUnknown(e.Platform()) {
		found := e.Config
		if !platform.IsUnknown(claim) {
			found = e.Image.Platform()
		} else if !platform.IsUnknown(found) {
			s.note("%s of %q has no platform; its config says %s", e.Digest(), s.report.Ref, platform.Format(found))
			claim = found
		}
		if !platform.IsUnknown(found) {
			var err error
			if e, err = e.withPlatform(found); err != nil {
				return Entry{}, err
			}
		}
	}
	err := checkPlatform(claim, e.Config)
	if err == nil {
		return e, nil
	}
	if !s.options.Force {
		return Entry{}, err
	}
	s.note("forced: %v", err)
	return e, nil
}

// checkPlatform refuses a platform that is missing, unknown, or not the config's.
func checkPlatform(claim, config v1.Platform) error {
	if platform.IsUnknown(claim) {
		return fmt.Errorf("%w: neither its row nor its config names one", ErrNoPlatform)
	}
	if err := platform.Validate(claim); err != nil {
		return fmt.Errorf("%w: %s", ErrPlatform, err.Error()) // the source's fault, not the user's: no ErrInvalid
	}
	if !platform.IsUnknown(config) && !platform.Agrees(claim, config) {
		return fmt.Errorf("%w: the row says %s, the config %s", ErrPlatform, describe(claim), describe(config))
	}
	return nil
}

func (s *selection) nothing() error {
	var want, have []string
	for _, p := range s.options.Platforms {
		want = append(want, platform.Format(p))
	}
	for _, img := range s.report.Images {
		have = append(have, platformOf(img))
	}
	for _, a := range s.report.Others {
		if p := a.Platform(); a.IsArtifact() && !platform.IsUnknown(p) {
			have = append(have, formatPlatform(p))
		}
	}
	if len(have) == 0 {
		return fmt.Errorf("taking the images of %q: %w: it has none", s.report.Ref, ErrEmpty)
	}
	if len(want) == 0 {
		return fmt.Errorf("taking the images of %q: %w: none can be read", s.report.Ref, ErrNoMatch)
	}
	return fmt.Errorf("taking %s of %q: %w: it has %s", strings.Join(want, ", "), s.report.Ref, ErrNoMatch,
		strings.Join(have, ", "))
}

// summary notes that a list was flattened, which most tools refuse to do.
func (s *selection) summary() []string {
	if s.report.List == nil {
		return nil
	}
	var images, artifacts []string
	var all Entry
	nested := false
	for _, e := range s.entries {
		if e.Artifact {
			artifacts = append(artifacts, formatPlatform(e.Platform()))
			continue
		}
		images = append(images, formatPlatform(e.Platform()))
		all.Attestations = append(all.Attestations, e.Attestations...)
		nested = nested || len(e.Image.Nested) > 0
	}
	var parts []string
	if len(images) > 0 {
		parts = append(parts, fmt.Sprintf("%s (%s)", inspect.Count(len(images), "image"), strings.Join(images, ", ")))
	}
	if len(artifacts) > 0 {
		parts = append(parts, fmt.Sprintf("%s (%s)", inspect.Count(len(artifacts), "artifact"),
			strings.Join(artifacts, ", ")))
	}
	line := fmt.Sprintf("%q is a list: %s", s.report.Ref, strings.Join(parts, " and "))
	if with := all.belongings(); with != "" {
		line += " with " + with
	}
	if nested {
		line += ", lists within lists"
	}
	lines := []string{line + ", flattened"}
	if s.dropped > 0 {
		lines = append(lines, fmt.Sprintf("dropped: %s of %q", inspect.Count(s.dropped, "attestation"), s.report.Ref))
	}
	return lines
}

func nameOf(img inspect.Image) string {
	return platformOf(img) + " (" + img.Descriptor.Digest.String() + ")"
}

func platformOf(img inspect.Image) string {
	p := img.Claim()
	if platform.IsUnknown(p) {
		p = img.Config
	}
	return formatPlatform(p)
}

// Attestations is what happens to the attestations of a source.
type Attestations string

// The values. The zero value keeps attestations.
const (
	KeepAttestations Attestations = "keep"
	DropAttestations Attestations = "drop"
)

// SelectOptions say what to take of a source.
type SelectOptions struct {
	// Platforms to take; none takes all. See platform.Satisfies.
	Platforms []v1.Platform
	// Attestations, "" is KeepAttestations.
	Attestations Attestations
	// Optional platforms may be missing or unreadable in every source.
	Optional []v1.Platform
	// Force takes images whose platform is missing, unknown, or not what their config says.
	Force bool
	// KeepLists takes a list as one entry, a nested list, instead of its images. Platforms must be empty.
	KeepLists bool
	// As is the source as the user gave it, which entries keep for opening it again; zero is where it was found.
	As registry.Ref
}
