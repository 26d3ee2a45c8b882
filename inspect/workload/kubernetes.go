package workload

import (
	"strings"
)

// object is the Kubernetes object that a value stands in.
type object struct{ kind, name string }

func (o object) String() string {
	if o.kind == "" {
		return "pod template"
	}
	return strings.TrimSuffix(o.kind+" "+o.name, " ")
}

func objectOf(n *node, around object) object {
	kind := n.get("kind").str()
	if kind == "" || n.get("apiVersion").str() == "" {
		return around
	}
	name := n.get("metadata", "name").scalar()
	if name == "" {
		name = n.get("metadata", "generateName").scalar()
	}
	if namespace := n.get("metadata", "namespace").scalar(); namespace != "" {
		name = namespace + "/" + name
	}
	return object{kind, name}
}

// skipped are members that hold no pod template, whatever they look like: what a cluster observed, what it keeps of who
// wrote what, schemas, and what an admission review says was there before.
func skipped(key string) bool {
	switch key {
	case "status", "managedFields", "openAPIV3Schema", "oldObject":
		return true
	}
	return false
}

// data are the kinds whose content is not for the cluster to run.
func (o object) data() bool {
	switch o.kind {
	case "ConfigMap", "Secret", "CustomResourceDefinition":
		return true
	}
	return false
}

// walk finds pod templates by their shape, at any depth: in lists, in the workload kinds, in resources nobody knows.
func (r *reader) walk(n *node, o object) error {
	if err := r.visit(n); err != nil {
		return err
	}
	if n.is(mapping) {
		if o = objectOf(n, o); o.data() {
			return nil
		}
		if isPodSpec(n) {
			return r.pod(n, o)
		}
		if image := n.get("image").str(); image != "" && o.kind != "" {
			r.note(n.get("image").at(), o.String(), "the image %q is not in a pod template: not checked", image)
		}
	}
	for _, p := range n.members() {
		if skipped(p.key) {
			continue
		}
		if err := r.walk(p.value, o); err != nil {
			return err
		}
	}
	for _, item := range n.list() {
		if err := r.walk(item, o); err != nil {
			return err
		}
	}
	return nil
}

// containerLists are the members of a pod specification that hold containers, and what one is called.
func containerLists() []pair {
	return []pair{{key: "initContainers"}, {key: "containers"}, {key: "ephemeralContainers"}}
}

func containerWord(list string) string {
	switch list {
	case "initContainers":
		return "init container"
	case "ephemeralContainers":
		return "ephemeral container"
	}
	return "container"
}

func isPodSpec(n *node) bool {
	for _, list := range containerLists() {
		for _, c := range n.get(list.key).list() {
			if c.is(mapping) && c.get("image") != nil {
				return true
			}
		}
	}
	return false
}

func (r *reader) pod(spec *node, o object) error {
	selector, err := r.selector(spec, o)
	if err != nil {
		return err
	}
	for _, list := range containerLists() {
		for _, c := range spec.get(list.key).list() {
			if err := r.visit(c); err != nil {
				return err
			}
			what := o.String() + ", " + strings.TrimSuffix(containerWord(list.key)+" "+c.get("name").scalar(), " ")
			image := c.get("image")
			if image == nil || image.kind == nothing || image.is(text) && image.text == "" {
				r.note(c.at(), what, "no image is named: not checked")
				continue
			}
			if err := r.use(image, Use{Place: Place{What: what}, Selector: selector, Process: containerProcess(c)}); err != nil {
				return err
			}
		}
	}
	return r.volumes(spec, o, selector)
}

// volumes finds the volumes that are images: https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
func (r *reader) volumes(spec *node, o object, selector Selector) error {
	for _, v := range spec.get("volumes").list() {
		image := v.get("image", "reference")
		if image == nil || image.kind == nothing {
			continue
		}
		what := o.String() + ", image volume " + v.get("name").scalar()
		if err := r.use(image, Use{Place: Place{What: what}, Selector: selector, Process: Process{Volume: true}}); err != nil {
			return err
		}
	}
	return nil
}
