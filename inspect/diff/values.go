package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

func differing(what, a, b string) []Detail {
	if a == b {
		return nil
	}
	return []Detail{{what, a, b}}
}

// diffStrings compares two maps, in the order of the keys.
func diffStrings(prefix string, a, b map[string]string) []Detail {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]string{}
	}
	maps.Copy(both, b)
	var d []Detail
	for _, k := range slices.Sorted(maps.Keys(both)) {
		d = append(d, differing(prefix+k, a[k], b[k])...)
	}
	return d
}

// diffDigests returns what only one side has, A's first.
func diffDigests(what string, a, b []v1.Descriptor) []Detail {
	var d []Detail
	for _, x := range a {
		if !hasDigest(b, x) {
			d = append(d, Detail{What: what, A: sized(x)})
		}
	}
	for _, y := range b {
		if !hasDigest(a, y) {
			d = append(d, Detail{What: what, B: sized(y)})
		}
	}
	if len(d) == 0 && len(a) == len(b) && !sameOrder(a, b) {
		d = append(d, Detail{What: what + " order", A: digests(a), B: digests(b)})
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
