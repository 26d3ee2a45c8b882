package workload

import (
	"slices"
	"strings"
)

// object is the Kubernetes object that contains a value.
type object struct{ group, kind, name string }

func (o object) String() string {
	if o.kind == "" {
		return "pod template"
	}
	return strings.TrimSuffix(o.kind+" "+o.name, " ")
}

// objectOf returns the object that a mapping is; false if it is not one.
func objectOf(n *node) (object, bool) {
	kind, version := n.get("kind").str(), n.get("apiVersion").str()
	if kind == "" || version == "" {
		return object{}, false
	}
	name := n.get("metadata", "name").scalar()
	if name == "" {
		name = n.get("metadata", "generateName").scalar()
	}
	if namespace := n.get("metadata", "namespace").scalar(); namespace != "" {
		name = namespace + "/" + name
	}
	group, _, grouped := strings.Cut(version, "/")
	if !grouped {
		group = ""
	}
	return object{group, kind, name}, true
}

// inert reports whether the cluster does not run the kind's content: data, and rules about the images of others.
func (o object) inert() bool {
	switch o.group {
	case "":
		return o.kind == "ConfigMap" || o.kind == "Secret"
	case "apiextensions.k8s.io", "image.toolkit.fluxcd.io", "kyverno.io", "policies.kyverno.io", "policy.sigstore.dev",
		"constraints.gatekeeper.sh", "templates.gatekeeper.sh", "admissionregistration.k8s.io":
		return true
	}
	return false
}

// builtin reports whether all members of the kind are known, or it has no kind: there only pods name images.
func (o object) builtin() bool {
	switch o.group {
	case "apps", "batch", "extensions":
		return true
	case "":
		return slices.Contains(
			strings.Fields("Pod PodTemplate ReplicationController Service ServiceAccount Namespace Node List Endpoints "+
				"Event LimitRange ResourceQuota PersistentVolume PersistentVolumeClaim"), o.kind) || o.kind == ""
	}
	return o.kind == ""
}

// skipped reports whether a member of an object never names something to run: observed state, managed fields,
// schemas, and the old object of an admission review.
func skipped(key string) bool {
	switch key {
	case "status", "metadata", "managedFields", "openAPIV3Schema", "oldObject":
		return true
	}
	return false
}

// spot is the position of a value in a document.
type spot struct {
	object   object
	path     []string // the members that lead to it from the object; items of lists add none
	parent   *node    // the mapping with the last of these
	fields   []field  // the image fields of the kind
	selector Selector
	// parameters means that {{…}} is interpolated at run time: by Argo, not Helm.
	parameters bool
}

// into returns the spot of a member of n.
func (s spot) into(n *node, key string) spot {
	s.path, s.parent = append(slices.Clip(s.path), key), n
	return s
}

// key returns the last member of the path.
func (s spot) key() string {
	if len(s.path) == 0 {
		return ""
	}
	return s.path[len(s.path)-1]
}

// what describes the spot: the object and the path into it.
func (s spot) what() string {
	if len(s.path) == 0 {
		return s.object.String()
	}
	return s.object.String() + ", " + strings.Join(s.path, ".")
}

// enter returns the spot of an object.
func (r *reader) enter(o object, s spot) spot {
	r.objects++
	return spot{object: o, fields: r.fieldsOf(o), parameters: s.parameters || o.group == "argoproj.io"}
}

// walk finds what names an image, at any depth: pod templates by their shape, in lists, workload kinds and unknown
// resources; and the fields of known kinds.
func (r *reader) walk(n *node, s spot) error {
	if err := r.visit(n); err != nil {
		return err
	}
	if n.is(text) && !s.object.builtin() && fullName(n.text) {
		return r.miss(n, s, "this field of a "+s.object.kind+" is not known to name one")
	}
	for _, item := range n.list() {
		if err := r.walk(item, s); err != nil {
			return err
		}
	}
	if !n.is(mapping) {
		return nil
	}
	if o, is := objectOf(n); is {
		s = r.enter(o, s)
	}
	if s.object.inert() {
		return nil
	}
	selector, err := r.selector(n, s)
	if err != nil {
		return err
	}
	s.selector = selector
	return r.members(n, s)
}

// members walks the members of a mapping.
func (r *reader) members(n *node, s spot) error {
	if related(n) {
		return r.outside(n.get("value"), s)
	}
	pod := isPodSpec(n, s)
	for _, p := range n.members() {
		if skipped(p.key) {
			continue
		}
		if err := r.member(p.value, s.into(n, p.key), pod); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) member(value *node, s spot, pod bool) error {
	take := r.shapeAt(s)
	switch {
	case take != nil:
	case pod && s.key() == "volumes":
		take = (*reader).volume
	case pod && containerWord(s.key()) != "":
		take = (*reader).container
	case imageKey(s.key()):
		return r.unknown(value, s)
	default:
		return r.walk(value, s)
	}
	for _, item := range value.all() {
		if err := r.visit(item); err != nil {
			return err
		}
		if err := take(r, item, s); err != nil {
			return err
		}
	}
	return nil
}

// unknown handles the value of a member called image that may not be one.
func (r *reader) unknown(value *node, s spot) error {
	image := imageOf(value)
	switch {
	case image.text == "" || s.object.builtin():
		return r.walk(value, s)
	case s.key() == "image", tagged(image.text), hosted(image.text):
		return r.miss(value, s, "what this field of a "+s.object.kind+" names is not known to be run")
	}
	return nil
}
