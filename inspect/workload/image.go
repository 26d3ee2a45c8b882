package workload

import (
	"regexp"
	"slices"
	"strings"

	"mtool/registry"
)

// image is an image named by a value.
type image struct {
	node *node  // where it is written
	text string // "" for none
	lack string // what is set elsewhere: "its tag is the chart's"
}

// bareTemplate is what YAML makes of {{ .Values.image }} without quotes: a mapping whose key is a mapping.
const bareTemplate = "{{ }}"

func (i image) template() bool { return i.text == bareTemplate }

// imageOf returns the image named by a text, or by a mapping of the parts of a name, as in charts. A template that
// YAML parses as a mapping ({{ .Values.image }}) counts as a text.
func imageOf(n *node) image {
	switch {
	case n.is(text):
		return image{node: n, text: strings.TrimSpace(n.text)}
	case n.is(scalar):
		return image{node: n, text: n.text}
	case !n.is(mapping):
		return image{}
	case len(n.pairs) == 1 && n.pairs[0].key == "" && n.pairs[0].value.kind == nothing:
		return image{node: n, text: bareTemplate}
	}
	host, name := n.first("registry", "imageRegistry"),
		n.first("repository", "repo", "newName", "name", "image", "reference")
	tag, digest := n.first("tag", "newTag", "imageTag"), n.first("digest", "sha")
	found := []*node{name, tag, digest}
	at := slices.IndexFunc(found, func(n *node) bool { return n.scalar() != "" })
	if at < 0 || strings.Contains(name.scalar(), "://") {
		return image{}
	}
	i := image{node: found[at], text: name.scalar(), lack: lacking(name, tag, digest)}
	if host.scalar() != "" {
		i.text = strings.TrimSuffix(host.scalar(), "/") + "/" + i.text
	}
	if tag.scalar() != "" {
		i.text += ":" + tag.scalar()
	}
	if d := digest.scalar(); d != "" {
		i.text += "@sha256:" + strings.TrimPrefix(d, "sha256:")
	}
	return i
}

func lacking(name, tag, digest *node) string {
	switch {
	case name.scalar() == "":
		return "the rest of its name is set elsewhere"
	case tag.scalar() == "" && digest.scalar() == "" && !tagged(name.scalar()):
		return "its tag is set elsewhere"
	}
	return ""
}

// first returns the value of the first of these keys that exists and is not empty.
func (n *node) first(keys ...string) *node {
	for _, key := range keys {
		if value := n.get(key); value.scalar() != "" {
			return value
		}
	}
	return nil
}

// imageKey reports whether a member's name is one for images.
func imageKey(key string) bool {
	lower := strings.ToLower(key)
	return strings.HasSuffix(lower, "image") || strings.HasSuffix(lower, "imagename") ||
		strings.HasSuffix(lower, "imageref")
}

// tagged reports whether the text ends in a tag or a digest.
func tagged(text string) bool {
	last := text[strings.LastIndex(text, "/")+1:]
	name, tag, found := strings.Cut(last, ":")
	return name != "" && found && tag != ""
}

// hosted reports whether the text begins with the host of a registry, as the reference grammar has it.
func hosted(text string) bool {
	host, _, found := strings.Cut(text, "/")
	return found && (strings.ContainsAny(host, ".:") || host == "localhost") && !strings.HasPrefix(host, ".")
}

// fullName reports whether a text can hardly be anything but an image: a registry, a path, and a tag or digest.
func fullName(text string) bool {
	if !hosted(text) || !tagged(text) || strings.Contains(text, "://") {
		return false
	}
	_, err := registry.ParseRef("docker://" + text)
	return err == nil
}

// use adds an image that the file runs; w says how.
func (r *reader) use(i image, s spot, w Use) error {
	at := i.node
	switch why := s.later(i.text); {
	case i.node.is(scalar):
		return errorf(r.file, at.at(), "%s: the image is not a text", w.What)
	case why == unrendered:
		return errorf(r.file, at.at(), "%w: %s", ErrTemplate, w.What)
	case why != "":
		r.unchecked(at, w.What, i.text, why)
	case i.lack != "":
		r.unchecked(at, w.What, i.text, i.lack)
	default:
		w.Image, w.Place = i.text, r.place(at.at(), w.What)
		r.found.Uses = append(r.found.Uses, w)
	}
	return nil
}

// unchecked adds an image that can't be checked, or a container that names none.
func (r *reader) unchecked(at *node, what, image, why string) {
	r.found.Unchecked = append(r.found.Unchecked, Unchecked{r.place(at.at(), what), image, why})
}

// miss is unchecked for an image without further details. Templates are reported as such.
func (r *reader) miss(n *node, s spot, why string) error {
	i := imageOf(n)
	switch later := s.later(i.text); {
	case later == unrendered:
		return errorf(r.file, n.at(), "%w: %s", ErrTemplate, s.what())
	case later != "":
		why = later
	}
	r.unchecked(i.node, s.what(), i.text, why)
	return nil
}

// outside adds an image outside of a container: what it starts is set elsewhere.
func (r *reader) outside(n *node, s spot) error {
	i := imageOf(n)
	if i.text == "" {
		return r.walk(n, s)
	}
	p := Process{Unknown: "its command is set elsewhere"}
	return r.use(i, s, Use{Place: Place{What: s.what()}, Selector: s.selector, Process: p})
}

// mounted adds an image whose files are used and which starts nothing.
func (r *reader) mounted(n *node, s spot) error {
	i := imageOf(n)
	if i.text == "" {
		return nil
	}
	i.text = strings.TrimPrefix(i.text, "docker://")
	return r.use(i, s, Use{Place: Place{What: s.what()}, Selector: s.selector, Process: Process{Volume: true}})
}

// unrendered is what later returns for a template that was not rendered.
const unrendered = "template"

// later returns why an image is unknown before it runs; "" if it is known, and unrendered for Helm's templates.
func (s spot) later(text string) string {
	switch {
	case strings.Contains(text, "{{") && (s.parameters && !helmWords().MatchString(text) || templateLine(text) == 0):
		return "its name is filled in when it runs"
	case strings.Contains(text, "{{"):
		return unrendered
	case strings.Contains(text, "$(") || strings.Contains(text, "${"):
		return "its name is filled in later"
	case text == "auto":
		return "Istio fills in the name" // https://istio.io/latest/docs/setup/additional-setup/gateway/
	case strings.HasPrefix(text, "ko://"):
		return "ko builds it"
	}
	return ""
}

// helmWords matches the names that only Helm's templates use.
func helmWords() *regexp.Regexp {
	return regexp.MustCompile(`\.Values\b|\.Release\b|\.Chart\b|\binclude\s+"|\btemplate\s+"`)
}

// argoWords matches expressions that Argo interpolates: https://argo-workflows.readthedocs.io/en/latest/variables/
func argoWords() *regexp.Regexp {
	return regexp.MustCompile(
		`\{\{\s*(=|(inputs|outputs|workflow|steps|tasks|pod|node|args|cronworkflow|retries|lastRetry|item)\b).*?\}\}`)
}

// templateLine returns the first line with Helm's {{ outside a comment; 0 for none.
func templateLine(document string) int {
	if !strings.Contains(document, "{{") {
		return 0
	}
	argo, n := argoWords(), 0
	for line := range strings.Lines(document) {
		n++
		if strings.Contains(line, "{{") && !strings.HasPrefix(strings.TrimSpace(line), "#") &&
			strings.Contains(argo.ReplaceAllString(line, ""), "{{") {
			return n
		}
	}
	return 0
}
