package compose

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// WithArtifactType sets the list's artifactType; "" removes it. The error wraps registry.ErrUsage.
func (l List) WithArtifactType(t string) (List, error) {
	if t == "" {
		return l.withMember("artifactType", nil), nil
	}
	if !isMediaType(t) {
		return List{}, registry.Usagef("setting the artifactType of %q: %q is not a media type", l.Name, t)
	}
	raw, err := encodeJSON(t)
	return l.withMember("artifactType", raw), err
}

// isMediaType reports whether t is a valid artifactType: https://www.rfc-editor.org/rfc/rfc6838#section-4.2
func isMediaType(t string) bool {
	top, sub, _ := strings.Cut(t, "/")
	return isRestrictedName(top) && isRestrictedName(sub)
}

func isRestrictedName(s string) bool {
	const (
		longest  = 127
		first    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		followed = first + "!#$&^_.+-"
	)
	return s != "" && len(s) <= longest && strings.Contains(first, s[:1]) && strings.Trim(s, followed) == ""
}

// WithSubject sets the list's subject; a zero descriptor removes it.
func (l List) WithSubject(d v1.Descriptor) (List, error) {
	if d.Digest == (v1.Hash{}) {
		return l.withMember("subject", nil), nil
	}
	raw, err := encodeJSON(v1.Descriptor{
		MediaType: d.MediaType, Digest: d.Digest, Size: d.Size,
		ArtifactType: d.ArtifactType,
	})
	return l.withMember("subject", raw), err
}

func (l List) withMember(name string, raw json.RawMessage) List {
	members := maps.Clone(l.Members)
	if members == nil {
		members = map[string]json.RawMessage{}
	}
	members[name] = raw
	l.Members = members
	return l
}

// setMembers puts the members that were set into those of the published list.
func (o object) setMembers(members map[string]json.RawMessage) (object, error) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] == nil || string(members[name]) == "null" {
			o = o.remove(name)
			continue
		}
		var err error
		if o, err = o.set(name, members[name]); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// PromoteAnnotations copies to the list the annotations that all its images share. The list's own annotations win.
// Images that were not read are an error.
func (l List) PromoteAnnotations() (List, []Change, error) {
	common, err := l.common("annotations", func(e Entry) (map[string]string, error) {
		var m struct {
			Annotations map[string]string `json:"annotations"`
		}
		err := json.Unmarshal(e.Image.Manifest.Body, &m)
		return m.Annotations, err
	})
	maps.DeleteFunc(common, func(k, _ string) bool { _, has := l.Annotations[k]; return has })
	if err != nil || len(common) == 0 {
		return l, nil, err
	}
	return l.AnnotateList(Edit{Annotations: common})
}

// PromoteLabels copies to the list, as annotations, the labels that the configs of all its images share. Images that
// were not read are an error.
func (l List) PromoteLabels() (List, []Change, error) {
	common, err := l.common("labels", func(e Entry) (map[string]string, error) {
		details, err := e.Image.Details()
		if details.Labels != nil {
			err = nil // other faults of the config don't matter here
		}
		return details.Labels, err
	})
	if err != nil || len(common) == 0 {
		return l, nil, err
	}
	return l.AnnotateList(Edit{Annotations: common})
}

// common returns the pairs of of that all images share.
func (l List) common(what string, of func(Entry) (map[string]string, error)) (map[string]string, error) {
	var common map[string]string
	for _, e := range l.Entries {
		if e.Artifact {
			continue
		}
		if err := e.unread(); err != nil {
			return nil, fmt.Errorf("reading the %s of %s in %q: %w", what, e, l.Name, err)
		}
		have, err := of(e)
		if err != nil {
			return nil, fmt.Errorf("reading the %s of %s in %q: %w: %w", what, e, l.Name, registry.ErrContent, err)
		}
		if common == nil {
			common = maps.Clone(have)
		}
		maps.DeleteFunc(common, func(k, v string) bool { other, ok := have[k]; return !ok || other != v })
		if len(common) == 0 {
			return nil, nil
		}
	}
	return common, nil
}
