package workload

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// converter turns the parser's tree into nodes. The target of an alias is one node with several parents.
type converter struct {
	anchors map[*yaml.Node]*node // nil while one is being converted
}

func (c *converter) convert(n *yaml.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, lineError{n.Line, fmt.Sprintf("it is nested more than %d levels deep", maxDepth)}
	}
	if n.Kind == yaml.AliasNode {
		return c.alias(n, depth)
	}
	if n.Anchor == "" {
		return c.value(n, depth)
	}
	c.anchors[n] = nil
	value, err := c.value(n, depth)
	c.anchors[n] = value
	return value, err
}

func (c *converter) alias(n *yaml.Node, depth int) (*node, error) {
	value, there := c.anchors[n.Alias]
	switch {
	case !there:
		return c.convert(n.Alias, depth) // its target is inside a key
	case value == nil:
		return nil, lineError{n.Line, fmt.Sprintf("the anchor %q is in itself", n.Value)}
	}
	return value, nil
}

// value converts a node that is not an alias. A tag of Compose says how the value is merged, not what it is.
func (c *converter) value(n *yaml.Node, depth int) (*node, error) {
	switch n.Tag {
	case "!reset":
		return &node{line: n.Line, reset: true}, nil
	case "!override":
		plain := *n
		plain.Tag = ""
		value, err := c.value(&plain, depth)
		if err == nil {
			value.override = true
		}
		return value, err
	}
	switch n.Kind {
	case yaml.MappingNode:
		return c.mapping(n, depth)
	case yaml.SequenceNode:
		all := &node{kind: sequence, line: n.Line}
		for _, v := range n.Content {
			item, err := c.convert(v, depth+1)
			if err != nil {
				return nil, err
			}
			all.items = append(all.items, item)
		}
		return all, nil
	}
	switch n.ShortTag() {
	case "!!null":
		return &node{line: n.Line}, nil
	case "!!bool", "!!int", "!!float":
		return &node{kind: scalar, text: n.Value, line: n.Line}, nil
	}
	return &node{kind: text, text: n.Value, line: n.Line, block: n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0}, nil
}

func (c *converter) mapping(n *yaml.Node, depth int) (*node, error) {
	m := newMapping(n.Line)
	var merged []*node
	set := map[string]bool{} // in front of the last merge key
	for i := 0; i+1 < len(n.Content); i += 2 {
		value, err := c.convert(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if key := n.Content[i]; key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			for _, p := range m.node.pairs {
				set[p.key] = true
			}
		} else if key, err := c.convert(key, depth+1); err != nil {
			return nil, err
		} else {
			m.set(key.scalar(), value)
		}
	}
	for _, from := range merged {
		all := newMapping(from.line)
		if err := all.merge(from); err != nil {
			return nil, lineError{from.line, err.Error()}
		}
		for _, p := range all.node.pairs {
			if _, there := m.index[p.key]; !there {
				m.set(p.key, p.value)
				set[p.key] = true
			} else if set[p.key] && m.node.twice == "" && !same(p.value, m.node.get(p.key)) {
				m.node.twice = p.key
			}
		}
	}
	return m.node, nil
}
