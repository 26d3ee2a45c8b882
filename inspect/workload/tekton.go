package workload

import "strings"

// step is a step of Tekton: a container that takes what it leaves out from the template of its task, or names a StepAction,
// which is an object of its own. A script is started by the interpreter of its first line, from a volume.
func (r *reader) step(c *node, s spot) error {
	if !c.is(mapping) {
		return r.walk(c, s)
	}
	template := s.parent.get("stepTemplate")
	if imageOf(c.get("image")).text == "" {
		if s.key() == "stepTemplate" || c.get("ref") != nil || imageOf(template.get("image")).text != "" {
			return r.words(c, s.what(), s)
		}
	}
	if script := c.get("script").scalar(); script != "" {
		c = scripted(c, script)
	}
	return r.container(c, s)
}

// scripted is a step whose command is its script: https://tekton.dev/docs/pipelines/tasks/#running-scripts-within-steps
func scripted(c *node, script string) *node {
	line, _, _ := strings.Cut(script, "\n")
	words := []string{"/bin/sh"}
	if interpreter, is := strings.CutPrefix(line, "#!"); is {
		words = strings.Fields(interpreter)
	}
	command := &node{kind: sequence, line: c.line}
	for _, word := range append(words, "/tekton/scripts/script") {
		command.items = append(command.items, &node{kind: text, text: word, line: c.line})
	}
	mount := newMapping(c.line)
	mount.set("mountPath", &node{kind: text, text: "/tekton", line: c.line})
	mounts := append(c.get("volumeMounts").list()[:len(c.get("volumeMounts").list()):len(c.get("volumeMounts").list())], mount.node)
	with := newMapping(c.line)
	for _, p := range c.pairs {
		with.set(p.key, p.value)
	}
	with.set("command", command)
	with.set("volumeMounts", &node{kind: sequence, line: c.line, items: mounts})
	return with.node
}
