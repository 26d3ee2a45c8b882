package workload

import (
	"strings"
)

// helm reads the values that an object gives a chart: as a mapping, as a text, or one by one with a path as the name.
// https://argo-cd.readthedocs.io/en/stable/user-guide/helm/, https://docs.k3s.io/helm
func (r *reader) helm(n *node, s spot) error {
	for _, key := range []string{"values", "valuesObject", "valuesContent"} {
		if err := r.values(n.get(key), s.into(n, key)); err != nil {
			return err
		}
	}
	single := newMapping(n.at())
	for _, p := range n.get("parameters").list() {
		single.put(strings.Split(p.get("name").scalar(), "."), p.get("value"))
	}
	for _, p := range n.get("set").members() {
		single.put(strings.Split(p.key, "."), p.value)
	}
	return r.values(single.node, s)
}

// put sets a value at a path and creates the mappings above it.
func (m mappingOf) put(path []string, value *node) {
	at := m.node
	for _, key := range path[:len(path)-1] {
		next := at.get(key)
		if !next.is(mapping) {
			next = &node{kind: mapping, line: value.at()}
			at.pairs = append(at.pairs, pair{key, next})
		}
		at = next
	}
	if value != nil {
		at.pairs = append(at.pairs, pair{path[len(path)-1], value})
	}
}

// values reads the values of a chart, which only the chart understands. A value called image is one: a whole name, or
// its parts. A text is the YAML of such values.
func (r *reader) values(n *node, s spot) error {
	if n == nil {
		return nil
	}
	if err := r.visit(n); err != nil {
		return err
	}
	if n.is(text) {
		docs, err := r.inside(n, s)
		if err != nil {
			return err
		}
		for _, doc := range docs {
			if !doc.is(text) {
				if err := r.values(doc, s); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, p := range n.members() {
		if err := r.value(n, p, s.into(n, p.key)); err != nil {
			return err
		}
	}
	for _, item := range n.list() {
		if item.is(text) && !fullName(item.text) {
			continue
		}
		if err := r.value(n, pair{"", item}, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) value(around *node, p pair, s spot) error {
	i := imageOf(p.value)
	parts := p.value.is(mapping) && p.value.first("repository") != nil && p.value.first("tag", "digest") != nil
	switch {
	case i.text != "" && (imageKey(p.key) || parts):
		if p.value.is(text) && !tagged(i.text) {
			i = besideTag(i, around)
		}
		return r.use(i, s,
			Use{
				Place: Place{What: s.what()}, Selector: s.selector,
				Process: Process{Unknown: "its command is set by the chart"},
			})
	case p.value.is(text) && fullName(p.value.text):
		return r.miss(p.value, s, "this value is not known to name one")
	case p.value.is(text):
		return nil
	}
	return r.values(p.value, s)
}

// besideTag completes a name with the tag next to it, as in old charts.
func besideTag(i image, around *node) image {
	tag := around.first("imageTag", "tag")
	if tag == nil {
		i.lack = "its tag is set elsewhere"
		return i
	}
	i.text += ":" + tag.scalar()
	return i
}

// replacement adds an image that Kustomize substitutes for another: a mapping, or old=new as Argo CD has it.
// https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
func (r *reader) replacement(n *node, s spot) error {
	i := imageOf(n)
	if n.is(text) {
		i.text = i.text[strings.Index(i.text, "=")+1:]
	}
	if n.is(text) && !tagged(i.text) {
		i.lack = "its tag is set elsewhere"
	}
	if i.text == "" {
		return nil
	}
	p := Process{Unknown: "its command is set elsewhere"}
	return r.use(i, s, Use{Place: Place{What: s.what()}, Selector: s.selector, Process: p})
}

// embedded reads an object inside a text.
func (r *reader) embedded(n *node, s spot) error {
	docs, err := r.inside(n, s)
	if err != nil {
		return err
	}
	for _, doc := range docs {
		if err := r.walk(doc, s); err != nil {
			return err
		}
	}
	return nil
}

// inside reads the documents in a text. An unreadable one is reported, since it may name anything.
func (r *reader) inside(n *node, s spot) ([]*node, error) {
	docs, err := documents(r.file, []byte(n.scalar()))
	switch {
	case err != nil && s.parameters:
		r.unchecked(n, s.what(), "", "the text is not YAML before it runs")
		return nil, nil
	case err != nil:
		return nil, errorf(r.file, n.at(), "%s: %w", s.what(), err)
	}
	first := n.at() - 1
	if n.block {
		first++
	}
	seen := map[*node]bool{}
	for _, doc := range docs {
		doc.shift(first, seen)
	}
	return docs, nil
}

// shift adds to the lines of all nodes.
func (n *node) shift(lines int, seen map[*node]bool) {
	if n == nil || seen[n] {
		return
	}
	seen[n] = true
	n.line += lines
	for _, p := range n.pairs {
		p.value.shift(lines, seen)
	}
	for _, item := range n.items {
		item.shift(lines, seen)
	}
}
