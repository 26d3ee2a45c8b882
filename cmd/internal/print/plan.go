package print

import (
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
)

// Plan prints what a dry run would do, for each repository, and the bytes of the root. Without a plan it prints
// nothing.
func Plan(w io.Writer, d publish.Done) {
	if d.Plan == nil {
		return
	}
	printf(w, "dry run, nothing written\n")
	for _, u := range d.Plan.Uploads {
		upload(w, u)
	}
	printf(w, "%s %s, %d bytes:\n", mediaWords(d.Root.MediaType), d.Root.Digest, len(d.Root.Body))
	Text(w, string(d.Root.Body)+"\n")
}

// upload prints one repository's part of the plan. What is there already is known by the registry only: all of it is an
// upper limit.
func upload(w io.Writer, u compose.Upload) {
	t := u.Totals()
	printf(w, "%s: at most %d blobs mounted, %d copied (%s), %d manifests, %d tags\n", u.Repository, t.Mounts, t.Copies,
		inspect.Bytes(t.Bytes), t.Children, len(u.ChildTags)+t.Tags)
	for _, b := range u.Blobs {
		how := "copy "
		if b.Mountable {
			how = "mount"
		}
		printf(w, "  %s %s %s from %s\n", how, b.Descriptor.Digest, inspect.Bytes(b.Descriptor.Size), b.From)
	}
	for _, c := range u.Children {
		printf(w, "  put   %s%s from %s\n", c.Descriptor.Digest, platformWords(c.Descriptor), c.From)
	}
	for _, t := range u.ChildTags {
		printf(w, "  tag   %s as %s\n", t.Manifest.Digest, t.Name)
	}
	for _, t := range u.Tags {
		printf(w, "  tag   %s as %s\n", u.Root.Digest, t.Name)
	}
	if len(u.Tags) == 0 {
		printf(w, "  put   %s without a tag\n", u.Root.Digest)
	}
}

func platformWords(d v1.Descriptor) string {
	if d.Platform == nil {
		return ""
	}
	return " " + d.Platform.String()
}

// Targets prints a table of what became of each of several targets.
func Targets(w io.Writer, d publish.Done) {
	if len(d.Targets) < 2 {
		return
	}
	t := newTable(w, nameColumn("TARGET"), stateColumn("STATE"))
	for _, o := range d.Targets {
		t.row(o.Target, o.State)
	}
	_ = t.flush() // as with every line on standard error
}

// metadata has the members that buildx's imagetools writes, and what became of each target.
type metadata struct {
	Schema     string         `json:"schema"`
	Digest     string         `json:"containerimage.digest"`
	Descriptor *v1.Descriptor `json:"containerimage.descriptor,omitempty"`
	Name       string         `json:"image.name,omitempty"`
	Targets    []targetState  `json:"targets,omitempty"`
	Missing    []string       `json:"missing,omitempty"` // optional platforms that the list was made without
}

type targetState struct {
	Name  string        `json:"name"`
	State publish.State `json:"state"`
	Error string        `json:"error,omitempty"`
}

// Metadata is what was made, as JSON (schema mtool.published/v1).
func Metadata(d publish.Done) []byte {
	m := metadata{Schema: "mtool.published/v1", Digest: d.Made[0].Digest.String()}
	if d.Root.Body != nil {
		descriptor := d.Root.Descriptor()
		m.Descriptor = &descriptor
		m.Missing = platform.FormatAll(compose.MissingFrom(d.Root))
	}
	var names []string
	for _, o := range d.Targets {
		row := targetState{Name: o.Target.String(), State: o.State}
		if o.Err != nil {
			row.Error = o.Err.Error()
		} else if name := o.Target.Name(); !slices.Contains(names, name) {
			names = append(names, name)
		}
		m.Targets = append(m.Targets, row)
	}
	m.Name = strings.Join(names, ",")
	var b strings.Builder
	_ = writeJSON(&b, m) // strings and a descriptor always encode, and a builder takes everything
	return []byte(b.String())
}
