package workload

import (
	"fmt"

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
	// Process is what is started of the image there.
	Process Process
}

// Found is what is in a file, in its order.
type Found struct {
	Uses []Use
	// Notes are about what was seen and is not among the uses: services that are built, images of custom resources outside of
	// a pod template.
	Notes []Note
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
	r := reader{file: name, options: o, parsed: map[string]*node{}}
	for _, doc := range docs {
		if err := r.document(doc); err != nil {
			return Found{}, err
		}
	}
	return r.found, nil
}

type reader struct {
	file    string
	options Options
	found   Found
	visited int
	files   int              // that were followed from the one that was given
	parsed  map[string]*node // of those
}

// document reads one document of a file; each may be of another kind.
func (r *reader) document(doc *node) error {
	if isCompose(doc) {
		return r.compose(doc)
	}
	if n := doc.ambiguous(map[*node]bool{}); n != nil {
		return errorf(r.file, n.get(n.twice).at(), "%q is set twice, the second time by a merge key (<<): kubectl and other programs differ on which one counts", n.twice)
	}
	before := len(r.found.Uses) + len(r.found.Notes)
	if err := r.walk(doc, object{}); err != nil {
		return err
	}
	if doc.get("kind") == nil && !doc.is(sequence) && before == len(r.found.Uses)+len(r.found.Notes) {
		r.note(doc.at(), "", "neither a Kubernetes object nor a Compose file: not looked at")
	}
	return nil
}

func (r *reader) place(line int, what string) Place { return Place{r.file, line, what} }

func (r *reader) note(line int, what, format string, args ...any) {
	r.found.Notes = append(r.found.Notes, Note{r.place(line, what), fmt.Sprintf(format, args...)})
}

// use adds an image, whose node is where it is written.
func (r *reader) use(image *node, u Use) error {
	if image.is(text) && templateLine(image.text) == 0 {
		u.Image = image.text
		u.Place = r.place(image.at(), u.What)
		r.found.Uses = append(r.found.Uses, u)
		return nil
	}
	if image.is(text) || image.is(mapping) && len(image.pairs) == 1 && image.pairs[0].value.kind == nothing {
		return errorf(r.file, image.at(), "%w: %s", ErrTemplate, u.What)
	}
	return errorf(r.file, image.at(), "%s: the image is no text", u.What)
}

// visit counts what was looked at: aliases can make a small file endless.
func (r *reader) visit(n *node) error {
	if r.visited++; r.visited > maxVisited {
		return errorf(r.file, n.at(), "it has more than %d values, those that aliases repeat included", maxVisited)
	}
	return nil
}
