package compose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// Encode writes the list: entries in order, then all attestations in the order of their images, as BuildKit does.
// Rows of a published list, or their replacements, keep their positions, and new rows follow. Equal lists give equal
// bytes, and an unchanged published list gives its published bytes. The error wraps ErrEmpty, or registry.ErrUsage if
// TypeDocker can't hold the list.
func (l List) Encode() (registry.Manifest, error) {
	m, err := l.encode()
	if err != nil {
		return registry.Manifest{}, fmt.Errorf("encoding list %q: %w", l.Name, err)
	}
	return m, nil
}

func (l List) encode() (registry.Manifest, error) {
	if len(l.Entries) == 0 {
		return registry.Manifest{}, ErrEmpty
	}
	members, err := l.members()
	if err != nil {
		return registry.Manifest{}, err
	}
	written := l.written()
	mediaType, _, err := l.mediaType(members, written)
	if err != nil {
		return registry.Manifest{}, err
	}
	// Old OCI lists may lack mediaType. It is not added, or no edit could restore the published bytes.
	if members.get("mediaType") != nil || mediaType != l.Base.MediaType {
		if members, err = members.set("mediaType", mediaType); err != nil {
			return registry.Manifest{}, err
		}
	}
	members = members.setRaw("manifests", rows(written))
	if members, err = members.setStrings("annotations", l.Annotations); err != nil {
		return registry.Manifest{}, err
	}
	body := members.encode()
	if isCompactOf(body, l.Base.Body) {
		return l.Base, nil
	}
	return registry.NewManifest(mediaType, body)
}

// MediaType returns the type that Encode will write. If all entries or the published list are Docker's, the note says
// why it is an OCI index; otherwise it is "". The error wraps registry.ErrUsage if TypeDocker can't hold the list.
func (l List) MediaType() (types.MediaType, string, error) {
	members, err := l.members()
	if err != nil {
		return "", "", err
	}
	return l.mediaType(members, l.written())
}

func (l List) mediaType(members object, written []Entry) (types.MediaType, string, error) {
	needs := needsOCI(members, written, l.Annotations)
	switch {
	case l.Type == TypeOCI, l.Base.MediaType == types.OCIImageIndex && l.Type == TypeAuto:
		return types.OCIImageIndex, "", nil
	case l.Type == TypeDocker:
		images := func(n need) bool { return n.onlyType }
		if other := slices.DeleteFunc(slices.Clone(needs), images); len(other) > 0 {
			return "", "", fmt.Errorf("%w %s", ErrDockerList, joinNeeds(other))
		}
		if len(needs) > 0 { // podman, CRI-O and old versions of Docker refuse such a list
			return "", "", fmt.Errorf("%w OCI images: %s", ErrDockerEntries, joinNeeds(needs))
		}
		return types.DockerManifestList, "", nil
	}
	if len(needs) == 0 {
		return types.DockerManifestList, "", nil
	}
	return l.autoOCI(needs)
}

// autoOCI decides between the two if something needs OCI. A published Docker list stays one unless it gets something
// that it did not hold before.
func (l List) autoOCI(needs []need) (types.MediaType, string, error) {
	if l.Base.MediaType == types.DockerManifestList {
		members, err := parseObject(l.Base.Body)
		if err != nil {
			return "", "", err
		}
		before, err := l.baseNeeds(members)
		if err != nil {
			return "", "", err
		}
		needs = slices.DeleteFunc(needs, func(n need) bool { return slices.Contains(before, n) })
		if len(needs) == 0 {
			return types.DockerManifestList, "", nil
		}
		return types.OCIImageIndex, "written as an OCI index, since a Docker list can't hold " + joinNeeds(needs), nil
	}
	if slices.ContainsFunc(needs, func(n need) bool { return n.onlyType }) {
		return types.OCIImageIndex, "", nil // it would have been OCI anyway
	}
	return types.OCIImageIndex, "written as an OCI index, since a Docker list can't hold " + joinNeeds(needs), nil
}

func (l List) baseNeeds(members object) ([]need, error) {
	published, err := decodeRows(l.Base.Body)
	if err != nil {
		return nil, err
	}
	var annotations map[string]string
	if raw := members.get("annotations"); raw != nil {
		if err := json.Unmarshal(raw, &annotations); err != nil {
			return nil, fmt.Errorf("reading annotations: %w: %w", registry.ErrContent, err)
		}
	}
	return needsOCI(members, published, annotations), nil
}

// need is something that needs an OCI index. onlyType means that a Docker list may name it, though the types don't
// match.
type need struct {
	what     string
	onlyType bool
}

func needsOCI(members object, entries []Entry, annotations map[string]string) (needs []need) {
	if len(annotations) > 0 {
		needs = append(needs, need{what: "annotations"})
	}
	for _, name := range []string{"artifactType", "subject"} {
		if members.get(name) != nil {
			needs = append(needs, need{what: name})
		}
	}
	for _, e := range entries {
		if len(e.Descriptor.Annotations) > 0 {
			needs = append(needs, need{what: "annotations of " + e.String()})
		}
		if e.Descriptor.ArtifactType != "" {
			needs = append(needs, need{what: "artifactType of " + e.String()})
		}
		if !isDocker(e.Descriptor.MediaType) {
			needs = append(needs, need{what: string(e.Descriptor.MediaType) + " of " + e.String(), onlyType: true})
		}
	}
	return needs
}

func joinNeeds(needs []need) string {
	var all []string
	for _, n := range needs {
		all = append(all, n.what)
	}
	return strings.Join(all, ", ")
}
