package workload

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// placed is a member with the position of a mapping. Merging mappings merges it too.
const placed = "x-place"

// kept says which parts of a value are copied: the rest of a file then can't make compose-go fail.
type kept struct {
	members map[string]kept // of a mapping
	each    *kept           // of all other members of a mapping
	located bool            // the position of a text is kept
	placed  bool            // the position of a mapping is kept
	named   bool            // the members of a mapping are services
	opened  bool            // a text names a file
	path    bool            // a text may be a path: compose-go would expand ~
}

// services returns what is kept of services and jobs:
// https://github.com/compose-spec/compose-spec/blob/main/05-services.md
func services() kept {
	word, located := kept{}, kept{located: true}
	command := kept{members: map[string]kept{"command": word}}
	mount := kept{path: true, members: map[string]kept{
		"type": word, "source": {located: true, path: true}, "target": word,
	}}
	return kept{named: true, each: &kept{placed: true, members: map[string]kept{
		"image": located, "platform": located, "profiles": located, "provider": {placed: true},
		"build": {placed: true, members: map[string]kept{
			"platforms": located, "additional_contexts": {located: true, each: &located},
		}},
		"extends": {members: map[string]kept{"service": word, "file": {opened: true}}},
		"volumes": mount, "configs": mount, "secrets": mount, "tmpfs": word,
		"entrypoint": word, "command": word, "working_dir": word,
		"environment": {members: map[string]kept{"PATH": word}},
		"healthcheck": {members: map[string]kept{"test": word, "disable": word}},
		"deploy":      {members: map[string]kept{"placement": {members: map[string]kept{"constraints": located}}}},
		"post_start":  command, "pre_stop": command, "pre_start": {members: map[string]kept{"image": located}},
	}}}
}

// rewrite makes the copy of a file that compose-go reads. Aliases and merge keys are resolved in it, so its size
// measures the work.
func (p *project) rewrite(f *composeFile) error {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	c := copier{project: p, file: f}
	for _, doc := range f.docs {
		copied, err := c.document(doc)
		if err == nil {
			err = enc.Encode(copied)
		}
		if err != nil {
			return err
		}
	}
	err := enc.Close()
	f.data = out.Bytes()
	return err
}

// copier makes the copy of one file.
type copier struct {
	*project
	file *composeFile
	what string // the service
}

func (c copier) document(doc *node) (*yaml.Node, error) {
	all := &yaml.Node{Kind: yaml.MappingNode}
	for _, m := range doc.members() {
		var value *yaml.Node
		var err error
		switch m.key {
		case "name":
			value, err = c.value(m.value, kept{})
		case "include":
			value, err = c.include(m.value)
		case composeServices, "jobs":
			value, err = c.services(m.key, m.value)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		all.Content = append(all.Content, word(m.key), value)
	}
	return all, nil
}

// services copies a section.
func (c copier) services(section string, n *node) (*yaml.Node, error) {
	copied, err := c.value(n, services())
	if err != nil {
		return nil, err
	}
	depths := map[string]int{}
	for _, m := range n.members() {
		key := section + " " + m.key
		if _, known := c.project.services[key]; !known {
			c.project.services[key] = mark{file: c.file, at: m.value, order: len(c.project.services)}
		}
		if m.value.get("extends") != nil {
			c.extending++
			c.file.chain = max(c.file.chain, depth(n, m.key, depths))
		}
	}
	return copied, nil
}

// depth returns the length of the chain of services that extend each other, starting with service, within one file.
func depth(section *node, service string, known map[string]int) int {
	extends := section.get(service, "extends")
	if _, ok := known[service]; ok || extends == nil {
		return known[service]
	}
	known[service] = 1 // for a chain that leads back here
	if base := extends.get("service"); base != nil {
		extends = base
	}
	known[service] = 1 + depth(section, extends.scalar(), known)
	return known[service]
}

// include copies the includes of a file. Their folders and variables are applied when the files are opened;
// compose-go gets no variables, since it would open the files itself.
func (c copier) include(n *node) (*yaml.Node, error) {
	all := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range n.all() {
		if !item.is(mapping) {
			m := newMapping(item.at())
			m.set("path", item)
			item = m.node
		}
		paths := &yaml.Node{Kind: yaml.SequenceNode}
		for _, at := range item.get("path").all() {
			path, err := c.path(at, mark{what: "include", include: item})
			if err != nil {
				return nil, err
			}
			paths.Content = append(paths.Content, path)
		}
		all.Content = append(all.Content, &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			word("path"), paths, word("env_file"), word("/dev/null"),
		}})
	}
	return all, nil
}

// path copies the name of a file, which door.Load opens.
func (c copier) path(n *node, m mark) (*yaml.Node, error) {
	if !n.is(text) {
		return nil, errorf(c.file.path, n.at(), "%s: it should be the name of a file", m.what)
	}
	m.file, m.at, m.located = c.file, n, true
	return word(n.text + c.mark(m)), c.check(n, n.text)
}

// value copies the kept parts of a value.
func (c copier) value(n *node, k kept) (*yaml.Node, error) {
	if n.reset {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!reset", Value: "null"}, nil
	}
	copied, err := c.plain(n, k)
	if err == nil && n.override {
		copied.Tag = "!override"
	}
	return copied, err
}

func (c copier) plain(n *node, k kept) (*yaml.Node, error) {
	if err := c.check(n, n.text); err != nil {
		return nil, err
	}
	if k.opened && n.kind != nothing {
		return c.path(n, mark{what: c.what + ": extends"})
	}
	switch n.kind {
	case mapping:
		return c.mapping(n, k)
	case sequence:
		all := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range n.items {
			value, err := c.value(item, k)
			if err != nil {
				return nil, err
			}
			all.Content = append(all.Content, value)
		}
		return all, nil
	case text:
		plain := n.text
		if k.path {
			plain = strings.TrimPrefix(plain, "~")
		}
		if k.located || strings.Contains(plain, "$") {
			plain += c.mark(mark{file: c.file, at: n, located: k.located})
		}
		return word(plain), nil
	case scalar:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: n.text}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

func (c copier) mapping(n *node, k kept) (*yaml.Node, error) {
	all := &yaml.Node{Kind: yaml.MappingNode}
	for _, m := range n.members() {
		inner, known := k.members[m.key]
		if !known && k.each != nil {
			inner, known = *k.each, true
		}
		if !known || k.placed && m.key == placed {
			continue
		}
		if k.named {
			c.what = "service " + m.key
		}
		before := c.values
		value, err := c.value(m.value, inner)
		if k.named {
			c.largest = max(c.largest, c.values-before)
		}
		if err == nil {
			err = c.check(m.value, m.key)
		}
		if err != nil {
			return nil, err
		}
		all.Content = append(all.Content, word(m.key), value)
	}
	if k.placed {
		all.Content = append(all.Content, word(placed), word(c.mark(mark{file: c.file, at: n, located: true})))
	}
	return all, nil
}

// check limits the size of the copies, and refuses texts with the sign of marks.
func (c copier) check(n *node, text string) error {
	if c.values++; c.values > maxProject {
		return errorf(c.file.path, n.at(), "it has more than %d values, including those repeated by aliases", maxProject)
	}
	if strings.Contains(text, sign) {
		return errorf(c.file.path, n.at(), "%q contains a noncharacter: U+FDD0", text)
	}
	return nil
}

func word(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: text}
}
