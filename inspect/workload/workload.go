package workload

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Options say how files are read. The zero value works.
type Options struct {
	// Env looks up a variable of the environment; nil means that none is set. An error is why a variable can't be used;
	// a default in the file then applies.
	Env func(name string) (value string, set bool, err error)
	// Read reads a file that belongs to a Compose file: .env next to it, and those that it includes, extends and takes
	// variables from. The error wraps fs.ErrNotExist if it is missing. nil means that there are no other files.
	Read func(path string) ([]byte, error)
	// Over are Compose files that override the one that is read; later files win, as with docker compose -f A -f B.
	Over []File
	// Fields are paths at which objects name images, in addition to the known ones.
	Fields []Field
}

// File is a file and its name.
type File struct {
	Name string
	Data []byte
}

// Place is a position in a file.
type Place struct {
	File string // as it was named; "-" is standard input
	Line int    // from 1; 0: the whole file
	// What is there: "Deployment shop/web, container app", "service db".
	What string
}

// String returns FILE:LINE.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Use is an image that a file runs.
type Use struct {
	Place
	Image    string // as written, with Compose variables interpolated
	Selector Selector
	// Platform is the platform: of a Compose file, zero if it has none.
	Platform v1.Platform
	// Built are the platforms for which a Compose file builds the image.
	Built []v1.Platform
	// Process is what is started of the image.
	Process Process
}

// Unchecked is an image in a file that can't be checked, or a container that names none.
type Unchecked struct {
	Place
	Image string // as written; "" if there is none
	Why   string
}

// Found is the content of a file, in its order.
type Found struct {
	Uses      []Use
	Unchecked []Unchecked
	// Notes are about things without an image name: services that are built.
	Notes []Note
	// Foreign means that the file has no Kubernetes objects and is not a Compose file.
	Foreign      bool
	FieldResults []FieldResult // the results of Options.Fields
}

// Note is a remark about a place.
type Note struct {
	Place
	Text string
}

// String returns FILE:LINE: TEXT.
func (n Note) String() string {
	if n.What == "" {
		return n.Place.String() + ": " + n.Text
	}
	return n.Place.String() + ": " + n.What + ": " + n.Text
}

// Read finds all images in a Kubernetes or Compose file, YAML or JSON; name identifies it in places and errors.
// Errors wrap ErrFile, also ErrTemplate if a Helm template was not rendered, and ErrElsewhere if Compose would fetch
// something. A file without images is not an error.
func Read(name string, data []byte, o Options) (Found, error) {
	docs, err := documents(name, data)
	if err != nil {
		return Found{}, err
	}
	r := reader{file: name, options: o, fields: fields()}
	r.found.FieldResults = make([]FieldResult, len(o.Fields))
	var foreign, composed []*node
	for _, doc := range docs {
		if isCompose(doc) {
			composed = append(composed, doc)
			continue
		}
		before := r.seen()
		if err := r.document(doc); err != nil {
			return Found{}, err
		}
		if r.seen() == before {
			foreign = append(foreign, doc)
		}
	}
	if len(composed) > 0 {
		if err := r.compose(composed); err != nil {
			return Found{}, err
		}
	}
	if r.found.Foreign = len(foreign) > 0 && len(foreign) == len(docs); len(foreign) > 0 {
		r.note(foreign[0].at(), "", "neither a Kubernetes object nor a Compose file: not checked")
	}
	return r.found, nil
}

type reader struct {
	file    string
	options Options
	found   Found
	fields  []field
	objects int // seen so far
	visited int
}

// seen returns how much was found so far.
func (r *reader) seen() int {
	return r.objects + len(r.found.Uses) + len(r.found.Unchecked) + len(r.found.Notes)
}

// document reads one document of a file other than Compose's.
func (r *reader) document(doc *node) error {
	if n := doc.ambiguous(map[*node]bool{}); n != nil {
		return errorf(r.file, n.get(n.twice).at(),
			"%q is set twice, the second time by a merge key (<<): kubectl and other programs differ on which one counts",
			n.twice)
	}
	var s spot
	if doc.is(mapping) && doc.get("kind") == nil && isKustomization(r.file) {
		s = r.enter(object{group: kustomizeGroup, kind: "Kustomization"}, s)
	}
	return r.walk(doc, s)
}

// isKustomization reports whether a file has a name that kustomize looks for: such files may omit their kind.
func isKustomization(file string) bool {
	switch filepath.Base(file) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// place returns a Place whose What is one line, whatever names are in it.
func (r *reader) place(line int, what string) Place {
	return Place{r.file, line, strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) {
			return c
		}
		return '?'
	}, what)}
}

func (r *reader) note(line int, what, text string) {
	r.found.Notes = append(r.found.Notes, Note{r.place(line, what), text})
}

// visit counts visited nodes: aliases can make a small file endless.
func (r *reader) visit(n *node) error {
	if r.visited++; r.visited > maxVisited {
		return errorf(r.file, n.at(), "it has more than %d values, including those repeated by aliases", maxVisited)
	}
	return nil
}
