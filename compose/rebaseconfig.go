package compose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// configMembers are those of a config that say what is in the image.
type configMembers struct {
	image, old, now object
}

// config is the image's, with the layers and the history of the new base, and what the old base had given it.
func (r rebase) config() ([]byte, error) {
	var c configMembers
	var err error
	for _, one := range []struct {
		into *object
		img  inspect.Image
	}{{&c.image, *r.entry.Image}, {&c.old, r.old}, {&c.now, r.now}} {
		if *one.into, err = parseObject(one.img.ConfigBody); err != nil {
			return nil, err
		}
	}
	rootfs, err := r.rootfs(c.image)
	if err != nil {
		return nil, err
	}
	history, err := r.history(c)
	if err != nil {
		return nil, err
	}
	inherited, err := c.inherit()
	if err != nil {
		return nil, err
	}
	out := c.image.setRaw("rootfs", rootfs)
	if len(history) == 0 {
		out = out.remove("history")
	} else if out, err = out.set("history", history); err != nil {
		return nil, err
	}
	if len(inherited) > 0 || out.get("config") != nil {
		out = out.setRaw("config", inherited.encode())
	}
	return out.encode(), nil
}

func (r rebase) rootfs(config object) (json.RawMessage, error) {
	image, _ := diffIDs(*r.entry.Image) // checked before
	now, _ := diffIDs(r.now)
	rootfs, err := parseObject(config.get("rootfs"))
	if err != nil {
		return nil, err
	}
	if rootfs, err = rootfs.setDiffIDs(slices.Concat(now, image[len(r.old.Layers):])); err != nil {
		return nil, err
	}
	return rootfs.encode(), nil
}

// setDiffIDs is for the member rootfs of a config.
func (o object) setDiffIDs(all []v1.Hash) (object, error) {
	ids := []string{}
	for _, h := range all {
		ids = append(ids, h.String())
	}
	return o.set("diff_ids", ids)
}

// history replaces what the image has of the old base's history. Where it does not fit the layers there is none: it is
// optional. https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties
func (r rebase) history(c configMembers) ([]json.RawMessage, error) {
	var image, old, now []json.RawMessage
	for _, one := range []struct {
		from object
		into *[]json.RawMessage
	}{{c.image, &image}, {c.old, &old}, {c.now, &now}} {
		if err := one.from.decode("history", one.into); err != nil {
			return nil, err
		}
	}
	same := func(a, b json.RawMessage) bool { return string(a) == string(b) }
	if len(old) > len(image) || !slices.EqualFunc(old, image[:len(old)], same) {
		return nil, nil
	}
	out := slices.Concat(now, image[len(old):])
	layers := len(r.entry.Image.Layers) - len(r.old.Layers) + len(r.now.Layers)
	for _, step := range out {
		var s struct {
			Empty bool `json:"empty_layer"`
		}
		if err := json.Unmarshal(step, &s); err != nil {
			return nil, fmt.Errorf("reading history: %w: %w", registry.ErrContent, err)
		}
		if !s.Empty {
			layers--
		}
	}
	if layers != 0 {
		return nil, nil
	}
	return out, nil
}

// inherit is the member "config" of the image: each value that is the old base's becomes the new base's, as a new build
// would have it. Variables and labels are compared one by one.
func (c configMembers) inherit() (object, error) {
	inner := make([]object, 3)
	for i, o := range []object{c.image, c.old, c.now} {
		raw := o.get("config")
		if raw == nil || string(raw) == "null" {
			continue
		}
		var err error
		if inner[i], err = parseObject(raw); err != nil {
			return nil, err
		}
	}
	image, old, now := inner[0], inner[1], inner[2]
	names := map[string]bool{}
	out := image
	for _, o := range []object{old, now} {
		for _, m := range o {
			if m.name == "Env" || m.name == "Labels" || names[m.name] {
				continue
			}
			names[m.name] = true
			if string(image.get(m.name)) != string(old.get(m.name)) {
				continue // the image has its own
			}
			if v := now.get(m.name); v == nil {
				out = out.remove(m.name)
			} else {
				out = out.setRaw(m.name, v)
			}
		}
	}
	out, err := inheritEnv(out, image, old, now)
	if err != nil {
		return nil, err
	}
	return inheritLabels(out, image, old, now)
}

func inheritEnv(out, image, old, now object) (object, error) {
	var envs [3][]string
	for i, o := range []object{image, old, now} {
		if err := o.decode("Env", &envs[i]); err != nil {
			return nil, err
		}
	}
	values := [3]map[string]string{}
	var names []string
	for i, env := range envs {
		values[i] = map[string]string{}
		for _, pair := range env {
			name, _, _ := strings.Cut(pair, "=")
			if _, has := values[i][name]; !has && !slices.Contains(names, name) {
				names = append(names, name)
			}
			values[i][name] = pair
		}
	}
	var merged []string
	for _, name := range names {
		pair := values[0][name]
		if pair == values[1][name] {
			pair = values[2][name]
		}
		if pair != "" {
			merged = append(merged, pair)
		}
	}
	return out.setOrRemove("Env", merged)
}

func inheritLabels(out, image, old, now object) (object, error) {
	var labels [3]map[string]string
	for i, o := range []object{image, old, now} {
		if err := o.decode("Labels", &labels[i]); err != nil {
			return nil, err
		}
	}
	merged := map[string]string{}
	for _, from := range labels {
		for name := range from {
			value, has := labels[0][name]
			if was, had := labels[1][name]; had == has && was == value {
				value, has = labels[2][name]
			}
			if has {
				merged[name] = value
			}
		}
	}
	return out.setStrings("Labels", merged)
}

// rebase is the work on one image.
type rebase struct {
	entry    Entry
	old, now inspect.Image
}

// diffIDs are the layers of an image by what they unpack to: one for each.
func diffIDs(img inspect.Image) ([]v1.Hash, error) {
	d, err := img.Details()
	if err != nil {
		return nil, err
	}
	if len(d.DiffIDs) != len(img.Layers) {
		return nil, fmt.Errorf("%w: the config of %s names %s, its manifest %d", registry.ErrContent, img.Descriptor.Digest,
			inspect.Count(len(d.DiffIDs), "layer"), len(img.Layers))
	}
	return d.DiffIDs, nil
}
