package workload

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Options say how files are read. The zero value is right.
type Options struct {
	// Env answers what a variable of the environment is set to; nil: none is set. An error is why a variable can't be used; a
	// place that has something else for it takes that.
	Env func(name string) (value string, set bool, err error)
	// Read reads a file that belongs to a Compose file: .env beside it, and those that it includes, extends and takes
	// variables from. The error wraps fs.ErrNotExist where there is none. nil: there are no files but the one that is given.
	Read func(path string) ([]byte, error)
	// Over are Compose files that are laid over the one that is read, the last on top, as docker compose -f A -f B does.
	Over []File
	// Fields are places at which objects name images, besides those that the package knows.
	Fields []Field
}

// File is a file and its name.
type File struct {
	Name string
	Data []byte
}

// Place is where something stands.
type Place struct {
	File string // as it was named; "-" is standard input
	Line int    // from 1; 0: the file as such
	// What is it that stands there: "Deployment shop/web, container app", "service db".
	What string
}

// String is FILE:LINE.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Use is an image that a file wants run.
type Use struct {
	Place
	Image    string // as it is written; variables of Compose filled in
	Selector Selector
	// Platform is what a Compose file asks for by platform:, zero when it does not.
	Platform v1.Platform
	// Built are the platforms for which a Compose file has the image built.
	Built []v1.Platform
	// Process is what is started of the image there.
	Process Process
}

// Unchecked is an image that a file names, or a container that names none, and that nobody can look at.
type Unchecked struct {
	Place
	Image string // as it is written; "" where none is named
	Why   string
}

// Found is what is in a file, in its order.
type Found struct {
	Uses      []Use
	Unchecked []Unchecked
	// Notes are about what was seen and names no image: services that are built.
	Notes []Note
	// Foreign says that nothing in the file is a Kubernetes object or a Compose file.
	Foreign bool
	Met     []Met // what became of Options.Fields
}

// Note is a remark about a place.
type Note struct {
	Place
	Text string
}

// String is FILE:LINE: what there is to say.
func (n Note) String() string {
	if n.What == "" {
		return n.Place.String() + ": " + n.Text
	}
	return n.Place.String() + ": " + n.What + ": " + n.Text
}

// Read finds all images in a Kubernetes or Compose file, YAML or JSON; name is what places and errors call it. Errors wrap
// ErrFile, and ErrTemplate where a Helm template was not rendered, ErrElsewhere where Compose is to fetch something. A file without images is no error.
func Read(name string, data []byte, o Options) (Found, error) {
	docs, err := documents(name, data)
	if err != nil {
		return Found{}, err
	}
	r := reader{file: name, options: o, fields: fields()}
	r.found.Met = make([]Met, len(o.Fields))
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
		r.note(foreign[0].at(), "", "neither a Kubernetes object nor a Compose file: not looked at")
	}
	return r.found, nil
}

type reader struct {
	file    string
	options Options
	found   Found
	fields  []field
	objects int // that were seen
	visited int
}

// seen counts what was found so far.
func (r *reader) seen() int {
	return r.objects + len(r.found.Uses) + len(r.found.Unchecked) + len(r.found.Notes)
}

// document reads one document of a file that is not Compose's.
func (r *reader) document(doc *node) error {
	if n := doc.ambiguous(map[*node]bool{}); n != nil {
		return errorf(r.file, n.get(n.twice).at(), "%q is set twice, the second time by a merge key (<<): kubectl and other programs differ on which one counts", n.twice)
	}
	var s spot
	if doc.is(mapping) && doc.get("kind") == nil && isKustomization(r.file) {
		s = r.enter(object{group: kustomizeGroup, kind: "Kustomization"}, s)
	}
	return r.walk(doc, s)
}

// isKustomization reports whether a file is one of those that kustomize looks for, which need not say what they are.
func isKustomization(file string) bool {
	switch filepath.Base(file) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// place names what stands there in one line, whatever the names in it hold.
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

// visit counts what was looked at: aliases can make a small file endless.
func (r *reader) visit(n *node) error {
	if r.visited++; r.visited > maxVisited {
		return errorf(r.file, n.at(), "it has more than %d values, those that aliases repeat included", maxVisited)
	}
	return nil
}
