package diff

import (
	"encoding/json"
	"fmt"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

func diffImages(a, b inspect.Image) (Platform, error) {
	p := Platform{Platform: a.Platform(), State: Same, A: a.Descriptor.Digest, B: b.Descriptor.Digest}
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

// claimed returns the row's platform as written: linux/arm64 and linux/arm64/v8 are the same platform, but different
// rows.
func claimed(i inspect.Image) string {
	if i.Descriptor.Platform == nil {
		return ""
	}
	return i.Descriptor.Platform.String()
}

func diffContent(a, b inspect.Image) ([]Detail, error) {
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

// configOf returns the config as one text for each member, and for each member of its "config". Members about layers
// are left out.
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
