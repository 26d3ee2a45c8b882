package workload

import (
	"fmt"
)

// node is a value of a YAML or JSON document, with aliases and merge keys resolved. All methods accept a nil node,
// which stands for a missing one.
type node struct {
	kind  kind
	text  string // of a scalar
	line  int
	block bool // a text that starts on the next line
	pairs []pair
	items []*node
	// twice is a key of the mapping that a later merge key (<<) sets to another value. YAML keeps the mapping's own;
	// kubectl takes the last (https://github.com/kubernetes-sigs/yaml, by its goyaml.v2).
	twice string
	// reset and override are tags of Compose: they remove or replace the value of the files below.
	reset, override bool
	from            *mark // the position of a value from compose-go; nil: here
}

type pair struct {
	key   string
	value *node
}

type kind int

const (
	nothing kind = iota
	scalar       // a number or a truth value; text is as it is written
	text
	mapping
	sequence
)

// get returns the value at a path of keys.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		n = n.member(key)
	}
	return n
}

func (n *node) member(key string) *node {
	if n == nil {
		return nil
	}
	for _, p := range n.pairs {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// str returns the text of a string; "" for everything else.
func (n *node) str() string {
	if n == nil || n.kind != text {
		return ""
	}
	return n.text
}

// list returns the items of a sequence.
func (n *node) list() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// all returns the items of a sequence, or the single value in its place.
func (n *node) all() []*node {
	if n == nil || n.kind == nothing {
		return nil
	}
	if n.kind == sequence {
		return n.items
	}
	return []*node{n}
}

func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// at returns the line, 0 for a missing node.
func (n *node) at() int {
	if n == nil {
		return 0
	}
	return n.line
}

// in returns the name of the file with a value of a Compose project.
func (n *node) in(file string) string {
	if n == nil || n.from == nil || n.from.file == nil {
		return file
	}
	return n.from.file.path
}

// written returns a text as written, before interpolation.
func (n *node) written() string {
	if n.from == nil || n.from.at == nil {
		return n.text
	}
	return n.from.at.text
}

// same reports whether both are one value, or the same text.
func same(a, b *node) bool {
	return a == b || a.kind == b.kind && a.kind <= text && a.text == b.text
}

// ambiguous returns a mapping below the node that has a key twice; nil if none has. seen are the visited nodes.
func (n *node) ambiguous(seen map[*node]bool) *node {
	if n == nil || seen[n] {
		return nil
	}
	seen[n] = true
	if n.twice != "" {
		return n
	}
	for _, p := range n.pairs {
		if found := p.value.ambiguous(seen); found != nil {
			return found
		}
	}
	for _, item := range n.items {
		if found := item.ambiguous(seen); found != nil {
			return found
		}
	}
	return nil
}

// members returns the pairs of a mapping.
func (n *node) members() []pair {
	if n == nil {
		return nil
	}
	return n.pairs
}

// words returns the strings of a sequence, or one string.
func (n *node) words() []string {
	if n.is(text) || n.is(scalar) {
		return []string{n.text}
	}
	var all []string
	for _, item := range n.list() {
		all = append(all, item.scalar())
	}
	return all
}

// scalar returns the text of a string, a number or a truth value.
func (n *node) scalar() string {
	if n.is(text) || n.is(scalar) {
		return n.text
	}
	return ""
}

// mappingOf builds a mapping in which a later value of a key replaces an earlier one.
type mappingOf struct {
	node  *node
	index map[string]int
}

func newMapping(line int) mappingOf {
	return mappingOf{&node{kind: mapping, line: line}, map[string]int{}}
}

func (m mappingOf) set(key string, value *node) {
	if i, there := m.index[key]; there {
		m.node.pairs[i].value = value
		return
	}
	m.index[key] = len(m.node.pairs)
	m.node.pairs = append(m.node.pairs, pair{key, value})
}

// merge adds the keys of from that the mapping lacks.
func (m mappingOf) merge(from *node) error {
	switch {
	case from.is(sequence):
		for _, item := range from.items {
			if err := m.merge(item); err != nil {
				return err
			}
		}
		return nil
	case !from.is(mapping):
		return fmt.Errorf("<< takes a mapping")
	}
	for _, p := range from.pairs {
		if _, there := m.index[p.key]; !there {
			m.set(p.key, p.value)
		}
	}
	return nil
}
