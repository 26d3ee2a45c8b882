package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/compose"
	"mtool/registry"
)

// Schema is the format of the files. A file with another one is refused, since saving it would lose what this version
// does not know.
const Schema = "mtool.draft/v1"

type file struct {
	Schema      string                     `json:"schema"`
	Name        string                     `json:"name"`
	Type        compose.Type               `json:"type,omitempty"`
	Annotations map[string]string          `json:"annotations,omitempty"`
	Members     map[string]json.RawMessage `json:"members,omitempty"`
	Base        *base                      `json:"base,omitempty"`
	Entries     []entry                    `json:"entries"`
}

// base is the published list that the draft derives from, byte for byte (base64 in JSON).
type base struct {
	MediaType types.MediaType `json:"mediaType"`
	Body      []byte          `json:"body"`
}

type entry struct {
	Row            json.RawMessage    `json:"row"`
	Config         *v1.Platform       `json:"config,omitempty"`
	ConfigDigest   v1.Hash            `json:"configDigest,omitzero"`
	Artifact       bool               `json:"artifact,omitempty"`
	Source         string             `json:"source"`
	SourceDigest   v1.Hash            `json:"sourceDigest,omitzero"`
	Origin         registry.Transport `json:"origin,omitempty"`
	RowNumber      int                `json:"place,omitempty"`
	Edits          []compose.Edit     `json:"edits,omitempty"`
	OriginalDigest v1.Hash            `json:"original,omitzero"`
	Attestations   []numberedRow      `json:"attestations,omitempty"`
}

// numberedRow is a row and its number in the published list.
type numberedRow struct {
	Row       json.RawMessage `json:"row"`
	RowNumber int             `json:"place,omitempty"`
}

func encode(l compose.List) ([]byte, error) {
	name, err := nameOf(l.Name)
	if err != nil {
		return nil, err
	}
	f := file{Schema: Schema, Name: name, Type: l.Type, Annotations: l.Annotations, Members: l.Members, Entries: []entry{}}
	if l.Base.Body != nil {
		f.Base = &base{l.Base.MediaType, l.Base.Body}
	}
	for _, e := range l.Entries {
		encoded, err := encodeEntry(e)
		if err != nil {
			return nil, fmt.Errorf("encoding draft %q: %w", name, err)
		}
		f.Entries = append(f.Entries, encoded)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // rows keep their bytes
	enc.SetIndent("", "  ")
	err = enc.Encode(f)
	return b.Bytes(), err
}

func encodeEntry(e compose.Entry) (entry, error) {
	source, err := sourceText(e.Source)
	if err != nil {
		return entry{}, err
	}
	out := entry{
		Row: e.Row, ConfigDigest: e.ConfigDigest, Artifact: e.Artifact, Source: source, SourceDigest: e.SourceDigest,
		Origin: e.Origin, RowNumber: e.RowNumber,
		Edits: e.Edits, OriginalDigest: e.OriginalDigest,
	}
	if e.Config.OS != "" || e.Config.Architecture != "" {
		out.Config = &e.Config
	}
	for _, a := range e.Attestations {
		out.Attestations = append(out.Attestations, numberedRow{a.Row, a.RowNumber})
	}
	return out, nil
}

// sourceText returns a string that ParseRef parses to the same reference from any working directory. A bare name
// stays bare, since it is looked up elsewhere than a full one.
func sourceText(r registry.Ref) (string, error) {
	if r.Bare && r.Typed != "" {
		return r.Typed, nil
	}
	if r.IsFile() {
		path, err := filepath.Abs(r.Path)
		if err != nil {
			return "", fmt.Errorf("naming source %q: %w", r, err)
		}
		r.Path = path
	}
	return r.String(), nil
}

// schemaError is a file whose schema this version does not know.
type schemaError string

func (e schemaError) Error() string {
	return fmt.Sprintf("its schema is %q, want %q", string(e), Schema)
}

// foreign reports whether another version of mtool wrote the file.
func (e schemaError) foreign() bool {
	family, _, _ := strings.Cut(Schema, "/")
	return strings.HasPrefix(string(e), family+"/")
}

// decode reads a file; the error is what is wrong with it.
func decode(data []byte) (compose.List, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return compose.List{}, err
	}
	if head.Schema != Schema {
		return compose.List{}, schemaError(head.Schema)
	}
	var f file
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // saving would drop unknown fields
	if err := dec.Decode(&f); err != nil {
		return compose.List{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return compose.List{}, errors.New("something follows the JSON")
	}
	return f.list()
}

func (f file) list() (compose.List, error) {
	ref, err := registry.ParseRef(f.Name)
	if err != nil {
		return compose.List{}, err
	}
	l := compose.List{Name: ref, Annotations: f.Annotations, Members: f.Members}
	if l.Type, err = compose.ParseType(string(f.Type)); err != nil {
		return compose.List{}, err
	}
	if f.Base != nil {
		if l.Base, err = registry.NewManifest(f.Base.MediaType, f.Base.Body); err != nil {
			return compose.List{}, err
		}
	}
	for _, e := range f.Entries {
		decoded, err := e.entry()
		if err != nil {
			return compose.List{}, err
		}
		l.Entries = append(l.Entries, decoded)
	}
	return l, nil
}

func (e entry) entry() (compose.Entry, error) {
	source, err := registry.ParseRef(e.Source)
	if err != nil {
		return compose.Entry{}, err
	}
	out, err := e.row(numberedRow{e.Row, e.RowNumber}, source)
	if err != nil {
		return compose.Entry{}, err
	}
	out.Artifact, out.Edits, out.OriginalDigest, out.ConfigDigest = e.Artifact, e.Edits, e.OriginalDigest, e.ConfigDigest
	if e.Config != nil {
		out.Config = *e.Config
	}
	for _, row := range e.Attestations {
		a, err := e.row(row, source)
		if err != nil {
			return compose.Entry{}, err
		}
		out.Attestations = append(out.Attestations, a)
	}
	return out, nil
}

func (e entry) row(r numberedRow, source registry.Ref) (compose.Entry, error) {
	out, err := compose.NewEntry(r.Row)
	out.RowNumber, out.Source, out.SourceDigest, out.Origin = r.RowNumber, source, e.SourceDigest, e.Origin
	return out, err
}
