package workload

import (
	"slices"
	"strings"
)

// containerWord returns the noun for what a member of a pod specification, or similar, contains; "" for other
// members.
func containerWord(member string) string {
	switch member {
	case "containers", "container":
		return "container"
	case "initContainers":
		return "init container"
	case "ephemeralContainers":
		return "ephemeral container"
	}
	return ""
}

// isPodSpec reports whether a mapping has containers with images, or has containers in the place of a pod
// specification.
func isPodSpec(n *node, s spot) bool {
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		for _, c := range n.get(list).list() {
			if c.is(mapping) && (c.get("image") != nil || s.key() == "spec") {
				return true
			}
		}
	}
	return false
}

// container reads a container of a pod, or a mapping with the same members.
func (r *reader) container(c *node, s spot) error {
	if !c.is(mapping) {
		return r.walk(c, s)
	}
	word := containerWord(s.key())
	if word == "" {
		word = strings.TrimSuffix(s.key(), "s")
	}
	what := s.object.String() + ", " + strings.TrimSuffix(word+" "+c.get("name").scalar(), " ")
	if err := r.words(c, what, s); err != nil {
		return err
	}
	image := imageOf(c.get("image"))
	switch {
	case image.text != "":
		return r.use(image, s, Use{Place: Place{What: what}, Selector: s.selector, Process: containerProcess(c)})
	case s.object.completed():
		r.note(c.at(), what, "its operator names the image, unless this file does")
	default:
		r.unchecked(c, what, "", "no image is named")
	}
	return nil
}

// completed reports whether the kind's operator completes containers, so that one without an image is not a mistake.
func (o object) completed() bool {
	switch o.group {
	case "monitoring.coreos.com", "flink.apache.org", "kafka.strimzi.io", "postgresql.cnpg.io", "rabbitmq.com",
		"jaegertracing.io", "opentelemetry.io", "sparkoperator.k8s.io", "clickhouse.altinity.com", "k8s.keycloak.org",
		"argoproj.io", "grafana.integreatly.org", "mongodbcommunity.mongodb.com", "cassandra.datastax.com",
		"k8ssandra.io", "acid.zalan.do", "solr.apache.org":
		return o.kind != "Rollout" && o.kind != "Workflow"
	}
	return strings.HasSuffix(o.group, ".k8s.elastic.co")
}

// volume reads a volume of a pod, which may be an image:
// https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
func (r *reader) volume(v *node, s spot) error {
	image := imageOf(v.get("image", "reference"))
	if image.text == "" {
		return nil
	}
	what := s.object.String() + ", image volume " + v.get("name").scalar()
	return r.use(image, s, Use{Place: Place{What: what}, Selector: s.selector, Process: Process{Volume: true}})
}

// step reads a step of Tekton: a container with defaults from the template of its task, or a reference to a
// StepAction, which is a separate object. A script is run by the interpreter in its first line, from a volume.
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

// scripted returns a step whose command is its script:
// https://tekton.dev/docs/pipelines/tasks/#running-scripts-within-steps
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
	mounts := append(slices.Clip(c.get("volumeMounts").list()), mount.node)
	with := newMapping(c.line)
	for _, p := range c.pairs {
		with.set(p.key, p.value)
	}
	with.set("command", command)
	with.set("volumeMounts", &node{kind: sequence, line: c.line, items: mounts})
	return with.node
}

// relatedPrefix is the prefix of the variables that name an operator's images. https://olm.operatorframework.io/docs/
// (relatedImages)
const relatedPrefix = "RELATED_IMAGE_"

// related reports whether a mapping is such a variable.
func related(n *node) bool {
	return strings.HasPrefix(n.get("name").scalar(), relatedPrefix) && n.get("value").scalar() != ""
}

// words reads a container's variables and arguments: images for operators are checked, other words that are almost
// certainly images are reported.
func (r *reader) words(c *node, what string, s spot) error {
	for _, e := range c.get("env").list() {
		name, value := e.get("name").scalar(), e.get("value")
		in := s.into(e, "env."+name)
		switch {
		case related(e):
			if err := r.outside(value, in); err != nil {
				return err
			}
		case namesImage(name, value.scalar()):
			r.unchecked(value, what, value.scalar(), "a variable ("+name+") names it")
		}
	}
	for _, list := range []string{"command", "args"} {
		before := ""
		for _, word := range c.get(list).list() {
			flag, value, joined := strings.Cut(word.scalar(), "=")
			if !joined {
				flag, value = before, word.scalar()
			}
			for one := range strings.SplitSeq(value, ",") {
				if namesImage(flag, one) {
					r.unchecked(word, what, one, "an argument names it")
				}
			}
			before = word.scalar()
		}
	}
	return nil
}

// namesImage reports whether a value names an image: a full name, or one with a tag if the variable's name says so.
func namesImage(name, value string) bool {
	if fullName(value) {
		return true
	}
	name = strings.ToLower(name)
	called := strings.HasSuffix(name, "image") || strings.HasSuffix(name, "images")
	return called && tagged(value) && !strings.Contains(value, "://") && fullName("docker.io/"+value)
}
