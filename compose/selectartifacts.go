package compose

import (
	"fmt"

	"mtool/inspect"
	"mtool/inspect/platform"
)

// addOther keeps artifacts if everything is wanted. Attestations without their image are useless.
func (s *selection) addOther(a inspect.Attachment) error {
	if subject, is := inspect.AttestationOf(a.Descriptor); is {
		s.note("left out: attestation %s of %q, since its image %s is not there", a.Descriptor.Digest, s.report.Ref, subject)
		return nil
	}
	p := a.Platform()
	if len(s.options.Platforms) > 0 && platform.IsUnknown(p) {
		s.note("left out: artifact %s of %q, which has no platform and belongs to no image", a.Descriptor.Digest, s.report.Ref)
		return nil
	}
	if !s.wants(p) {
		return nil
	}
	if a.Err != nil {
		return a.Err
	}
	e, err := s.artifactEntry(a)
	s.entries = append(s.entries, e)
	return err
}

// artifactEntry returns an artifact. If only its config has the platform, the row is completed: without one, clients
// can't choose it.
func (s *selection) artifactEntry(a inspect.Attachment) (Entry, error) {
	e, err := s.attached(a)
	if err != nil {
		return Entry{}, err
	}
	e.Artifact, e.Config = true, a.Config
	p := a.Platform()
	if platform.IsUnknown(p) {
		return e, nil
	}
	if platform.IsUnknown(e.Platform()) {
		s.note("%s of %q has no platform; its config says %s", e.Digest(), s.report.Ref, platform.Format(p))
		if e, err = e.typed(a.ArtifactType); err == nil {
			e, err = e.withPlatform(p)
		}
	}
	if err != nil {
		return Entry{}, err
	}
	if !platform.IsUnknown(a.Config) && !platform.Agrees(p, a.Config) {
		err := fmt.Errorf("%w: the row says %s, the config of the artifact %s", ErrPlatform, describe(p), describe(a.Config))
		if !s.options.Force {
			return Entry{}, err
		}
		s.note("forced: %v", err)
	}
	return s.respell(e)
}

// typed returns e with a row that has the artifactType, unless it has one.
func (e Entry) typed(artifactType string) (Entry, error) {
	if e.Descriptor.ArtifactType != "" || artifactType == "" {
		return e, nil
	}
	row, err := parseObject(e.Row)
	if err != nil {
		return Entry{}, err
	}
	if row, err = row.set("artifactType", artifactType); err != nil {
		return Entry{}, err
	}
	return e.withRow(row.encode())
}
