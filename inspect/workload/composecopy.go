package workload

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/tree"
)

// placed is a member with the position of a mapping. Merging mappings merges it too.
const placed = "x-place"

// kept says which parts of a value are read: the rest of a file then can't make compose-go fail.
type kept struct {
	members map[string]kept // of a mapping
	each    *kept           // of all other members of a mapping
	located bool            // the position of a text is kept
	placed  bool            // the position of a mapping is kept
	named   bool            // the members of a mapping are services
}

// services returns what is kept of services and jobs:
// https://github.com/compose-spec/compose-spec/blob/main/05-services.md
func services() kept {
	word, located := kept{}, kept{located: true}
	command := kept{members: map[string]kept{"command": word}}
	mount := kept{members: map[string]kept{"type": word, "source": located, "target": word}}
	return kept{named: true, each: &kept{placed: true, members: map[string]kept{
		"image": located, "platform": located, "profiles": located, "provider": {placed: true},
		"build": {placed: true, members: map[string]kept{
			"platforms": located, "additional_contexts": {located: true, each: &located},
		}},
		"extends": {located: true, members: map[string]kept{"service": located, "file": located}},
		"volumes": mount, "configs": mount, "secrets": mount, "tmpfs": word,
		"entrypoint": word, "command": word, "working_dir": word,
		"environment": {members: map[string]kept{"PATH": word}},
		"healthcheck": {members: map[string]kept{"test": word, "disable": word}},
		"deploy":      {members: map[string]kept{"placement": {members: map[string]kept{"constraints": located}}}},
		"post_start":  command, "pre_stop": command, "pre_start": {members: map[string]kept{"image": located}},
	}}}
}

// part is what a document sets, without what it includes.
type part struct {
	values   map[string]any
	resets   []tree.Path // what is removed from the documents before, for its value there to be reset or overridden
	includes []mark
}

// literal is a number or a truth value, as written.
type literal string

// read takes the parts of a file that matter from its documents, with interpolated texts. Aliases and merge keys are
// resolved, so the number of values measures the work.
func (p *project) read(f *composeFile) error {
	for _, doc := range f.docs {
		c := copier{project: p, file: f, part: &part{values: map[string]any{}}}
		if err := c.document(doc); err != nil {
			return err
		}
		f.parts = append(f.parts, *c.part)
	}
	return nil
}

// copier reads one document.
type copier struct {
	*project
	file *composeFile
	part *part
}

func (c copier) document(doc *node) error {
	for _, m := range doc.members() {
		switch m.key {
		case "include":
			for _, item := range m.value.all() {
				c.include(item)
			}
		case composeServices, composeJobs:
			if err := c.services(m.key, m.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// include adds an item of include.
func (c copier) include(item *node) {
	if !item.is(mapping) {
		m := newMapping(item.at())
		m.set("path", item)
		item = m.node
	}
	c.part.includes = append(c.part.includes, mark{file: c.file, include: item})
}

// services adds a section.
func (c copier) services(section string, n *node) error {
	if !n.is(mapping) && !n.is(nothing) {
		return errorf(c.file.path, n.at(), "%s: it should be a mapping", section)
	}
	for _, m := range n.members() {
		if !m.value.is(mapping) && !m.value.is(nothing) {
			return errorf(c.file.path, m.value.at(), "service %s: it should be a mapping", m.key)
		}
	}
	copied, ok, err := c.value(n, services(), tree.NewPath(section))
	if err != nil {
		return err
	}
	if ok {
		c.part.values[section] = copied
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
	return nil
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

// value returns the kept parts of a value; false if there is none, since it is reset.
func (c copier) value(n *node, k kept, at tree.Path) (value any, ok bool, err error) {
	if n.reset || n.override {
		c.part.resets = append(c.part.resets, at)
	}
	if n.reset {
		return nil, false, nil
	}
	if err := c.check(n, n.text); err != nil {
		return nil, false, err
	}
	switch n.kind {
	case mapping:
		value, err = c.mapping(n, k, at)
	case sequence:
		value, err = c.sequence(n, k, at)
	case text:
		value = c.text(n, k)
	case scalar:
		value = literal(n.text)
	}
	return value, true, err
}

func (c copier) mapping(n *node, k kept, at tree.Path) (any, error) {
	all := map[string]any{}
	for _, m := range n.members() {
		inner, known := k.members[m.key]
		if !known && k.each != nil {
			inner, known = *k.each, true
		}
		if !known || k.placed && m.key == placed {
			continue
		}
		before := c.values
		value, ok, err := c.value(m.value, inner, at.Next(m.key))
		if k.named {
			c.largest = max(c.largest, c.values-before)
		}
		if err == nil {
			err = c.check(m.value, m.key)
		}
		if err != nil {
			return nil, err
		}
		if ok {
			all[m.key] = value
		}
	}
	if k.placed {
		all[placed] = c.mark(mark{file: c.file, at: n, located: true})
	}
	return all, nil
}

func (c copier) sequence(n *node, k kept, at tree.Path) (any, error) {
	all := []any{}
	for _, item := range n.items {
		value, ok, err := c.value(item, k, at.Next(tree.PathMatchList))
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, value)
		}
	}
	return all, nil
}

// text returns an interpolated text. One that can't be interpolated becomes a hole, which is an error only if its
// value is used.
func (c copier) text(n *node, k kept) string {
	m := mark{file: c.file, at: n, located: k.located}
	value, err := c.fill(n.text, c.file.env.lookup)
	switch {
	case err != nil:
		m.err = err
		key, _, _ := strings.Cut(n.text, "=")
		if strings.Contains(key, "$") || key == n.text {
			return c.mark(m)
		}
		return key + "=" + c.mark(m)
	case m.located:
		return value + c.mark(m)
	}
	return value
}

// check limits the number of values, and refuses texts with the sign of marks.
func (c copier) check(n *node, text string) error {
	if c.values++; c.values > maxProject {
		return errorf(c.file.path, n.at(), "it has more than %d values, including those repeated by aliases", maxProject)
	}
	if strings.Contains(text, sign) {
		return errorf(c.file.path, n.at(), "%q contains a noncharacter: U+FDD0", text)
	}
	return nil
}
