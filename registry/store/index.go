package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// The annotations of a row that hold its name. The first is the specification's; containerd, BuildKit and Docker Engine
// write and read the second.
const (
	RefName       = "org.opencontainers.image.ref.name"
	ContainerName = "io.containerd.image.name"
)

// Row is one manifest that index.json names.
type Row struct {
	v1.Descriptor
	raw json.RawMessage
}

// Name returns the row's org.opencontainers.image.ref.name; "" when it has none.
func (r Row) Name() string { return r.Annotations[RefName] }

// Index is the content of an index.json. Members that this package does not know survive an edit.
type Index struct {
	Rows    []Row
	members map[string]json.RawMessage
}

func parseIndex(data []byte) (Index, error) {
	var x Index
	if err := registry.CheckManifest(data); err != nil {
		return Index{}, err
	}
	if err := json.Unmarshal(data, &x.members); err != nil {
		return Index{}, err
	}
	var rows []json.RawMessage
	if raw, ok := x.members["manifests"]; !ok {
		return Index{}, errors.New("it has no manifests")
	} else if err := json.Unmarshal(raw, &rows); err != nil {
		return Index{}, fmt.Errorf("its manifests: %w", err)
	}
	for i, raw := range rows {
		row := Row{raw: raw}
		if err := json.Unmarshal(raw, &row.Descriptor); err != nil {
			return Index{}, fmt.Errorf("row %d of its manifests: %w", i+1, err)
		}
		x.Rows = append(x.Rows, row)
	}
	return x, nil
}

func emptyIndex() Index {
	return Index{members: map[string]json.RawMessage{
		"schemaVersion": json.RawMessage("2"),
		"mediaType":     json.RawMessage(`"` + string(types.OCIImageIndex) + `"`),
	}}
}

// find returns the row of this name.
func (x Index) find(name string) (Row, bool) {
	i := slices.IndexFunc(x.Rows, func(r Row) bool { return r.Name() == name })
	if i < 0 {
		return Row{}, false
	}
	return x.Rows[i], true
}

// put names d, and takes the name from any other row. The empty name stands for the row without one.
func (x *Index) put(name string, d v1.Descriptor) error {
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	x.Rows = slices.DeleteFunc(x.Rows, func(r Row) bool { return r.Name() == name })
	x.Rows = append(x.Rows, Row{Descriptor: d, raw: raw})
	// By name and not by time, so that equal content has equal bytes.
	slices.SortStableFunc(x.Rows, func(a, b Row) int { return cmp.Compare(a.Name(), b.Name()) })
	return nil
}

// encode writes schemaVersion, mediaType and manifests first, then the other members by name.
func (x Index) encode() ([]byte, error) {
	rows := make([]json.RawMessage, 0, len(x.Rows))
	for _, row := range x.Rows {
		rows = append(rows, row.raw)
	}
	manifests, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	members := maps.Clone(x.members)
	members["manifests"] = manifests
	first := []string{"schemaVersion", "mediaType", "manifests"}
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(members)), func(k string) bool { return slices.Contains(first, k) })
	var b bytes.Buffer
	for _, key := range append(first, keys...) {
		if value, ok := members[key]; ok {
			name, err := json.Marshal(key)
			if err != nil {
				return nil, err
			}
			b.WriteString(separator(b.Len()))
			fmt.Fprintf(&b, "%s:%s", name, value)
		}
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

func separator(written int) string {
	if written == 0 {
		return "{"
	}
	return ","
}
