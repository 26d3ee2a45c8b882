package podman

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"mtool/compose"
	"mtool/registry"
)

// arrange makes the list and the order of each row's members those of podman: the same list of the same images then has
// the digest that it has when podman pushes it. Podman makes an OCI index, even of Docker images.
func (l Lists) arrange(ctx context.Context, name registry.Ref, kind compose.Type) error {
	_, err := l.Drafts.Update(ctx, name, func(list compose.List) (compose.List, error) {
		list.Type = compose.TypeOCI
		list.Entries = slices.Clone(list.Entries)
		for i, e := range list.Entries {
			var err error
			if list.Entries[i].Row, err = arranged(e.Row, kind == compose.TypeDocker); err != nil {
				return list, fmt.Errorf("reading row %s: %w: %w", e, registry.ErrContent, err)
			}
		}
		return list, nil
	})
	return err
}

// arranged returns a row with the members in podman's order; those that podman does not have come last.
func arranged(row json.RawMessage, docker bool) (json.RawMessage, error) {
	order := []string{"mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"}
	if docker {
		order = []string{"mediaType", "size", "digest", "platform"}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(row, &members); err != nil {
		return nil, err
	}
	var others []string
	for name := range members {
		if !slices.Contains(order, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	var b bytes.Buffer
	for _, name := range append(order, others...) {
		value, has := members[name]
		if !has {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, value)
	}
	return slices.Concat([]byte("{"), b.Bytes(), []byte("}")), nil
}
