package compose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

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
		needs = slices.DeleteFunc(needs, func(n need) bool { return n.onlyType })
		if len(needs) > 0 {
			return "", "", fmt.Errorf("%w %s", ErrDockerList, joinNeeds(needs))
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
