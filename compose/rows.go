package compose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// members returns the members of the published list, or those that a new list starts with, in the specification's
// order.
func (l List) members() (object, error) {
	members := object{
		{name: "schemaVersion", key: []byte(`"schemaVersion"`), value: json.RawMessage("2")},
		{name: "mediaType", key: []byte(`"mediaType"`), value: json.RawMessage(`""`)},
	}
	if l.Base.Body != nil {
		var err error
		if members, err = parseObject(l.Base.Body); err != nil {
			return nil, err
		}
	}
	return members.setMembers(l.Members)
}

// written returns the entries in the order in which they are written: those of the published list in its order, then
// the new ones, images before artifacts, which clients must not find first.
func (l List) written() []Entry {
	var (
		all  []Entry
		seen = map[v1.Hash]bool{}
	)
	for _, e := range l.Entries {
		if !e.Artifact {
			all = append(all, e)
		}
		seen[e.Digest()] = true
	}
	for _, e := range l.Entries {
		if e.Artifact {
			all = append(all, e)
		}
	}
	for _, e := range l.Entries {
		for _, a := range e.Attestations {
			if !seen[a.Digest()] { // images may share one
				seen[a.Digest()] = true
				all = append(all, a)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Compare(a.order(), b.order()) })
	return all
}

// rows returns the JSON array of the entries' rows, which are compact already.
func rows(entries []Entry) json.RawMessage {
	b := []byte{'['}
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.Row...)
	}
	return append(b, ']')
}

// Rows returns the entries of a published list without their content. The error wraps registry.ErrContent.
func Rows(list registry.Manifest) ([]Entry, error) { return decodeRows(list.Body) }

func decodeRows(list []byte) ([]Entry, error) {
	var decoded struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(list, &decoded); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	var entries []Entry
	for _, raw := range decoded.Manifests {
		e, err := NewEntry(raw)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
