package compose

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// object is a JSON object as a sequence of members. Decoding a descriptor or a list into a struct would drop every
// member that the struct lacks, and a Go map would lose their order: either way the bytes change for no reason of the
// user's.
type object []member

type member struct {
	name  string
	key   []byte // name as it was written, with its quotes
	value json.RawMessage
}

func parseObject(raw []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: not a JSON object", registry.ErrContent)
	}
	var o object
	for dec.More() {
		m, err := parseMember(dec, raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
		}
		o = append(o, m)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	return o, nil
}

func parseMember(dec *json.Decoder, raw []byte) (member, error) {
	start := dec.InputOffset()
	t, err := dec.Token()
	if err != nil {
		return member{}, err
	}
	name, _ := t.(string) // inside an object the decoder returns nothing else before a value
	m := member{name: name, key: bytes.TrimLeft(raw[start:dec.InputOffset()], " \t\r\n,{")}
	if err := dec.Decode(&m.value); err != nil {
		return member{}, err
	}
	m.value, err = compact(m.value)
	return m, err
}

func (o object) get(name string) json.RawMessage {
	for _, m := range slices.Backward(o) { // as encoding/json does: of two members with one name the last one counts
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// set returns o with name set to value: in place if the member exists, else at the end.
func (o object) set(name string, value any) (object, error) {
	raw, err := encodeJSON(value)
	if err != nil {
		return nil, err
	}
	return o.setRaw(name, raw), nil
}

// setRaw is set for what is compact JSON already.
func (o object) setRaw(name string, raw json.RawMessage) object {
	out := slices.Clone(o)
	for i := range slices.Backward(out) {
		if out[i].name == name {
			out[i].value = raw
			return out
		}
	}
	key, _ := encodeJSON(name) // any string can be encoded
	return append(out, member{name: name, key: key, value: raw})
}

// ordered returns the members in the order of names; the others follow as they are.
func (o object) ordered(names ...string) object {
	at := func(m member) int {
		if i := slices.Index(names, m.name); i >= 0 {
			return i
		}
		return len(names)
	}
	out := slices.Clone(o)
	slices.SortStableFunc(out, func(a, b member) int { return cmp.Compare(at(a), at(b)) })
	return out
}

func (o object) remove(name string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.name == name })
}

func (o object) encode() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(m.key)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// setStrings makes the member name hold exactly want and touches only the pairs that differ. Without pairs the member
// is removed.
func (o object) setStrings(name string, want map[string]string) (object, error) {
	raw := o.get(name)
	var have map[string]string
	if raw != nil {
		if err := json.Unmarshal(raw, &have); err != nil {
			return nil, fmt.Errorf("reading %s: %w: %w", name, registry.ErrContent, err)
		}
	}
	if maps.Equal(have, want) {
		return o, nil
	}
	if len(want) == 0 {
		return o.remove(name), nil
	}
	inner := object{}
	if have != nil {
		var err error
		if inner, err = parseObject(raw); err != nil {
			return nil, err
		}
	}
	inner, err := inner.mergeStrings(have, want)
	if err != nil {
		return nil, err
	}
	return o.set(name, inner.encode())
}

func (o object) mergeStrings(have, want map[string]string) (object, error) {
	for k := range have {
		if _, keep := want[k]; !keep {
			o = o.remove(k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := have[k]; ok && v == want[k] {
			continue
		}
		var err error
		if o, err = o.set(k, want[k]); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// encodeJSON is json.Marshal without escapes for HTML, which other tools don't write.
func encodeJSON(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func compact(raw []byte) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	return b.Bytes(), nil
}

// isCompactOf reports whether a, which has no white space, is b with white space removed.
func isCompactOf(a, b []byte) bool {
	if len(a) >= len(b) {
		return bytes.Equal(a, b)
	}
	small, err := compact(b)
	return err == nil && bytes.Equal(a, small)
}

func (o object) setPlatform(p v1.Platform) (object, error) {
	members := []struct {
		name  string
		value any
		empty bool
	}{
		{"architecture", p.Architecture, false}, // required by the specification, even when empty
		{"os", p.OS, false},
		{"os.version", p.OSVersion, p.OSVersion == ""},
		{"os.features", p.OSFeatures, len(p.OSFeatures) == 0},
		{"variant", p.Variant, p.Variant == ""},
	}
	for _, m := range members {
		if m.empty {
			o = o.remove(m.name)
			continue
		}
		var err error
		if o, err = o.set(m.name, m.value); err != nil {
			return nil, err
		}
	}
	return o, nil
}
