package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// DiffState is what became of a platform between two lists.
type DiffState string

// The states.
const (
	Same    DiffState = "same"
	Added   DiffState = "added"   // only B has it
	Removed DiffState = "removed" // only A has it
	Changed DiffState = "changed"
)

// Diff is what two lists, or images, have different.
type Diff struct {
	A, B      DiffSide
	List      []DiffDetail // of the list itself
	Platforms []DiffPlatform
}

// DiffSide is one of the two.
type DiffSide struct {
	Ref  registry.Ref
	Root registry.Manifest
}

// DiffPlatform is one platform of either; a digest is zero where there is none.
type DiffPlatform struct {
	Platform v1.Platform
	State    DiffState
	A, B     v1.Hash
	Details  []DiffDetail
}

// DiffDetail is one thing that differs: "layer", "config.Env", "annotation org.example.key", … A side that has nothing of
// it is "".
type DiffDetail struct{ What, A, B string }

// Same reports whether nothing differs.
func (d Diff) Same() bool {
	return len(d.List) == 0 && !slices.ContainsFunc(d.Platforms, func(p DiffPlatform) bool { return p.State != Same })
}

// Diff compares what two names have, platform by platform. That they differ is an error that wraps inspect.ErrMismatch, and
// the difference is beside it. Names are looked up as Inspect does.
func (e names) Diff(ctx context.Context, a, b registry.Ref, from string) (Diff, error) {
	all, err := e.read(ctx, []registry.Ref{a, b}, source.Options{Order: source.RegistryFirst, From: from}, reading{})
	if err != nil {
		return Diff{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	left, right := all.reports[0], all.reports[1]
	d := Diff{A: DiffSide{left.Ref, left.Root}, B: DiffSide{right.Ref, right.Root}, List: diffLists(left, right)}
	if d.Platforms, err = diffPlatforms(left, right); err != nil {
		return d, err
	}
	if d.Same() {
		return d, nil
	}
	return d, registry.WithKind(fmt.Errorf("%q and %q differ", a, b), inspect.ErrMismatch)
}

func diffLists(a, b inspect.Report) []DiffDetail {
	var x, y inspect.ListFacts
	if a.List != nil {
		x = *a.List
	}
	if b.List != nil {
		y = *b.List
	}
	d := differing("media type", string(a.Root.MediaType), string(b.Root.MediaType))
	d = append(d, differing("artifactType", x.ArtifactType, y.ArtifactType)...)
	d = append(d, differing("subject", subjectOf(x), subjectOf(y))...)
	d = append(d, diffStrings("annotation ", x.Annotations, y.Annotations)...)
	return append(d, diffDigests("other entry", attached(a.Others), attached(b.Others))...)
}

func subjectOf(l inspect.ListFacts) string {
	if l.Subject == nil {
		return ""
	}
	return l.Subject.Digest.String()
}

// diffPlatforms pairs images by platform: those of A in its order, then those that only B has.
func diffPlatforms(a, b inspect.Report) ([]DiffPlatform, error) {
	var all []DiffPlatform
	left := slices.Clone(b.Images)
	for _, x := range a.Images {
		i := slices.IndexFunc(left, func(y inspect.Image) bool {
			return inspect.Slot(x.Platform(), x.Descriptor) == inspect.Slot(y.Platform(), y.Descriptor)
		})
		if i < 0 {
			all = append(all, DiffPlatform{Platform: x.Platform(), State: Removed, A: x.Descriptor.Digest})
			continue
		}
		p, err := diffImages(x, left[i])
		if err != nil {
			return nil, err
		}
		all, left = append(all, p), slices.Delete(left, i, i+1)
	}
	for _, y := range left {
		all = append(all, DiffPlatform{Platform: y.Platform(), State: Added, B: y.Descriptor.Digest})
	}
	return all, nil
}

func diffImages(a, b inspect.Image) (DiffPlatform, error) {
	p := DiffPlatform{Platform: a.Platform(), State: Same, A: a.Descriptor.Digest, B: b.Descriptor.Digest}
	p.Details = diffStrings("entry annotation ", a.Descriptor.Annotations, b.Descriptor.Annotations)
	p.Details = append(p.Details, differing("platform", claimed(a), claimed(b))...)
	p.Details = append(p.Details, diffDigests("attestation", attached(a.Attestations), attached(b.Attestations))...)
	p.Details = append(p.Details, diffDigests("artifact", attached(a.Artifacts), attached(b.Artifacts))...)
	if p.A != p.B {
		inside, err := diffContent(a, b)
		if err != nil {
			return p, fmt.Errorf("comparing %s: %w", platform.Format(p.Platform), err)
		}
		p.Details = append(p.Details, inside...)
	}
	if p.A != p.B || len(p.Details) > 0 {
		p.State = Changed
	}
	return p, nil
}

// claimed is the row's platform as it is written: linux/arm64 and linux/arm64/v8 are one platform and two rows.
func claimed(i inspect.Image) string {
	if i.Descriptor.Platform == nil {
		return ""
	}
	return i.Descriptor.Platform.String()
}

func diffContent(a, b inspect.Image) ([]DiffDetail, error) {
	for _, i := range []inspect.Image{a, b} {
		if i.Err != nil {
			return nil, i.Err
		}
	}
	d := differing("media type", string(a.Descriptor.MediaType), string(b.Descriptor.MediaType))
	d = append(d, diffDigests("layer", a.Layers, b.Layers)...)
	d = append(d, diffStrings("image annotation ", manifestAnnotations(a.Manifest), manifestAnnotations(b.Manifest))...)
	if a.ConfigOf.Digest == b.ConfigOf.Digest {
		return d, nil
	}
	x, err := configOf(a)
	if err != nil {
		return nil, err
	}
	y, err := configOf(b)
	if err != nil {
		return nil, err
	}
	return append(d, diffStrings("", x, y)...), nil
}

func manifestAnnotations(m registry.Manifest) map[string]string {
	var body struct {
		Annotations map[string]string `json:"annotations"`
	}
	_ = json.Unmarshal(m.Body, &body) // it was read before; other kinds of annotations are not comparable
	return body.Annotations
}

// configOf is the config as one text a member, those of its "config" one by one. What the layers say already is left out.
func configOf(i inspect.Image) (map[string]string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(i.ConfigBody, &members); err != nil {
		return nil, fmt.Errorf("reading config %s: %w: %w", i.ConfigOf.Digest, registry.ErrContent, err)
	}
	out := map[string]string{}
	for name, value := range members {
		var inner map[string]json.RawMessage
		switch {
		case name == "rootfs":
		case name == "config" && json.Unmarshal(value, &inner) == nil:
			for k, v := range inner {
				out["config."+k] = oneLineJSON(v)
			}
		default:
			out[name] = oneLineJSON(value)
		}
	}
	return out, nil
}

func differing(what, a, b string) []DiffDetail {
	if a == b {
		return nil
	}
	return []DiffDetail{{what, a, b}}
}

// diffStrings compares two maps, in the order of the keys.
func diffStrings(prefix string, a, b map[string]string) []DiffDetail {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]string{}
	}
	maps.Copy(both, b)
	var d []DiffDetail
	for _, k := range slices.Sorted(maps.Keys(both)) {
		d = append(d, differing(prefix+k, a[k], b[k])...)
	}
	return d
}

// diffDigests names what only one of the two has, A's first.
func diffDigests(what string, a, b []v1.Descriptor) []DiffDetail {
	var d []DiffDetail
	for _, x := range a {
		if !hasDigest(b, x) {
			d = append(d, DiffDetail{What: what, A: sized(x)})
		}
	}
	for _, y := range b {
		if !hasDigest(a, y) {
			d = append(d, DiffDetail{What: what, B: sized(y)})
		}
	}
	if len(d) == 0 && len(a) == len(b) && !sameOrder(a, b) {
		d = append(d, DiffDetail{What: what + " order", A: digests(a), B: digests(b)})
	}
	return d
}

func hasDigest(all []v1.Descriptor, d v1.Descriptor) bool {
	return slices.ContainsFunc(all, func(o v1.Descriptor) bool { return o.Digest == d.Digest })
}

func sameOrder(a, b []v1.Descriptor) bool {
	return slices.EqualFunc(a, b, func(x, y v1.Descriptor) bool { return x.Digest == y.Digest })
}

func digests(all []v1.Descriptor) string {
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.Digest.String()
	}
	return strings.Join(names, " ")
}

func sized(d v1.Descriptor) string { return fmt.Sprintf("%s (%s)", d.Digest, inspect.Bytes(d.Size)) }

func attached(all []inspect.Attachment) []v1.Descriptor {
	var out []v1.Descriptor
	for _, a := range all {
		out = append(out, a.Descriptor)
	}
	return out
}

func oneLineJSON(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
