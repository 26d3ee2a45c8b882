package workload

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// converter makes nodes of the parser's tree. What an alias names is one node that several have.
type converter struct {
	anchors map[string]*node
}

func (c *converter) convert(n ast.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d levels deep", maxDepth)
	}
	switch n := n.(type) {
	case nil:
		return &node{}, nil
	case *ast.StringNode:
		return &node{kind: text, text: n.Value, line: lineOf(n)}, nil
	case *ast.LiteralNode:
		return &node{kind: text, text: n.Value.Value, line: lineOf(n)}, nil
	case *ast.NullNode:
		return &node{line: lineOf(n)}, nil
	case *ast.MappingNode:
		return c.mapping(n, n.Values, depth)
	case *ast.MappingValueNode:
		return c.mapping(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		return c.sequence(n, depth)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return c.indirect(n, depth)
	case ast.ScalarNode:
		return &node{kind: scalar, text: n.GetToken().Value, line: lineOf(n)}, nil
	}
	return &node{line: lineOf(n)}, nil
}

func (c *converter) mapping(at ast.Node, values []*ast.MappingValueNode, depth int) (*node, error) {
	m := newMapping(lineOf(at))
	if len(values) > 0 {
		m.node.line = lineOf(values[0].Key)
	}
	var merged []*node
	for _, v := range values {
		value, err := c.convert(v.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if value.line == 0 {
			value.line = lineOf(v.Key)
		}
		if v.Key.IsMergeKey() {
			merged = append(merged, value)
			continue
		}
		key, err := c.convert(v.Key, depth+1)
		if err != nil {
			return nil, err
		}
		m.set(key.scalar(), value)
	}
	for _, from := range merged {
		if err := m.merge(from); err != nil {
			return nil, lineError{from.line, err.Error()}
		}
	}
	return m.node, nil
}

func (c *converter) sequence(n *ast.SequenceNode, depth int) (*node, error) {
	all := &node{kind: sequence, line: lineOf(n)}
	for _, v := range n.Values {
		item, err := c.convert(v, depth+1)
		if err != nil {
			return nil, err
		}
		all.items = append(all.items, item)
	}
	return all, nil
}

func (c *converter) indirect(n ast.Node, depth int) (*node, error) {
	switch n := n.(type) {
	case *ast.AnchorNode:
		value, err := c.convert(n.Value, depth+1)
		if err == nil {
			c.anchors[nameOf(n.Name)] = value
		}
		return value, err
	case *ast.AliasNode:
		value, there := c.anchors[nameOf(n.Value)]
		if !there {
			return nil, lineError{lineOf(n), fmt.Sprintf("there is no anchor %q before it", nameOf(n.Value))}
		}
		return value, nil
	case *ast.TagNode:
		value, err := c.convert(n.Value, depth+1)
		if err == nil && value.kind == scalar && n.Start != nil && n.Start.Value == "!!str" {
			value.kind = text
		}
		return value, err
	}
	return &node{}, nil
}

func nameOf(n ast.Node) string {
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}
