package compose

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"mtool/registry"
)

// As makes the list and its images those of kind, OCI or Docker, as podman and skopeo do it: annotations of rows and
// images, which Docker's formats do not have, are dropped with what is said about the old digests. See Convert, which
// refuses to lose them.
func (l List) As(kind Type) (List, []Change, error) {
	l.Type = kind
	if kind != TypeDocker {
		return l.Convert(kind, false)
	}
	out := l
	out.Annotations = nil
	var changes []Change
	for i, e := range l.Entries {
		edits, err := e.plain()
		if err != nil {
			return List{}, nil, fmt.Errorf("converting %s of %q: %w", e, l.Name, err)
		}
		for _, d := range edits {
			var c []Change
			if out, c, err = out.annotateAt(i, d); err != nil {
				return List{}, nil, fmt.Errorf("converting %s of %q: %w", e, l.Name, err)
			}
			changes = append(changes, c...)
		}
	}
	return out, changes, nil
}

// plain returns the edits after which an entry is one of Docker's.
func (e Entry) plain() ([]Edit, error) {
	var edits []Edit
	if names := slices.Sorted(maps.Keys(e.Descriptor.Annotations)); len(names) > 0 {
		edits = append(edits, Edit{Unset: names})
	}
	if e.Artifact || isDocker(e.Descriptor.MediaType) && !e.mixed(TypeDocker) {
		return edits, nil
	}
	var manifest struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := e.unread(); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(e.Image.Manifest.Body, &manifest); err != nil {
		return nil, fmt.Errorf("reading annotations: %w: %w", registry.ErrContent, err)
	}
	return append(edits, Edit{
		Child: true, Convert: TypeDocker, Unset: slices.Sorted(maps.Keys(manifest.Annotations)),
	}), nil
}
