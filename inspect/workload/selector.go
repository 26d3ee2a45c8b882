package workload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// The labels that describe a node's platform in Kubernetes.
const (
	archLabel = "kubernetes.io/arch"
	osLabel   = "kubernetes.io/os"
)

// canonicalLabel returns the current name of a label.
func canonicalLabel(key string) string {
	switch key {
	case "beta." + archLabel:
		return archLabel
	case "beta." + osLabel:
		return osLabel
	}
	return key
}

// Selector says on which nodes a pod may run. The zero value means all nodes without a taint.
type Selector struct {
	node        string          // by its name
	os          string          // spec.os.name
	all         []requirement   // nodeSelector: all must hold
	terms       [][]requirement // required node affinity: one term must hold completely; nil for none
	affinity    bool
	tolerations []toleration
}

// requirement is a match expression.
type requirement struct {
	key      string
	operator string
	values   []string
	field    bool // of the node itself, not a label
}

type toleration struct{ key, operator, value, effect string }

// facts looks up a label: its value, whether it exists, and whether that is known.
type facts func(requirement) (value string, there, known bool)

// selector returns a mapping's constraints on nodes, added to those around it.
func (r *reader) selector(n *node, around spot) (Selector, error) {
	s := around.selector
	if name := n.get("nodeName").str(); name != "" {
		s.node = name
	}
	if isPodSpec(n, around) {
		s.os = n.get("os", "name").str()
	}
	if labels := n.get("nodeSelector"); labels.is(mapping) {
		s.all = nil
		for _, p := range labels.members() {
			value := p.value.scalar()
			if templateLine(value) > 0 || templateLine(p.key) > 0 || imageOf(p.value).template() {
				return s, errorf(r.file, p.value.at(), "%w: %s, nodeSelector", ErrTemplate, around.object)
			}
			if !p.value.is(mapping) && !p.value.is(sequence) {
				s.all = append(s.all, requirement{key: canonicalLabel(p.key), operator: "In", values: []string{value}})
			}
		}
	}
	if err := r.affinity(n, around, &s); err != nil {
		return s, err
	}
	if tolerations := n.get("tolerations").list(); len(tolerations) > 0 {
		s.tolerations = nil
		for _, t := range tolerations {
			s.tolerations = append(s.tolerations, toleration{
				t.get("key").scalar(), t.get("operator").scalar(), t.get("value").scalar(), t.get("effect").scalar(),
			})
		}
	}
	return s, nil
}

func (r *reader) affinity(n *node, around spot, s *Selector) error {
	required := n.get("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
	if !required.is(mapping) {
		return nil
	}
	s.affinity, s.terms = true, nil
	for _, t := range required.get("nodeSelectorTerms").list() {
		term, err := r.term(t, around.object)
		if err != nil {
			return err
		}
		s.terms = append(s.terms, term)
	}
	return nil
}

func (r *reader) term(t *node, o object) ([]requirement, error) {
	var all []requirement
	for _, list := range []string{"matchExpressions", "matchFields"} {
		for _, e := range t.get(list).list() {
			q := requirement{
				key: canonicalLabel(e.get("key").scalar()), operator: e.get("operator").scalar(), values: e.get("values").words(),
				field: list == "matchFields",
			}
			switch q.operator {
			case "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt":
			default:
				return nil, errorf(r.file, e.at(), "%s: %q is not an operator of a node affinity", o, q.operator)
			}
			all = append(all, q)
		}
	}
	return all, nil
}

// admits reports whether a node with these facts may run the pod. Unknown facts count as fitting.
func (s Selector) admits(known facts) bool {
	holds := func(q requirement) bool { return q.holds(known) }
	if s.os != "" && !holds(requirement{key: osLabel, operator: "In", values: []string{s.os}}) {
		return false
	}
	if slices.ContainsFunc(s.all, func(q requirement) bool { return !holds(q) }) {
		return false
	}
	// A term without requirements matches nothing.
	fits := func(term []requirement) bool {
		return len(term) > 0 && !slices.ContainsFunc(term, func(q requirement) bool { return !holds(q) })
	}
	return !s.affinity || slices.ContainsFunc(s.terms, fits)
}

func (q requirement) holds(known facts) bool {
	value, there, isKnown := known(q)
	if !isKnown {
		return true
	}
	switch q.operator {
	case "In":
		return there && slices.Contains(q.values, value)
	case "NotIn":
		return !there || !slices.Contains(q.values, value)
	case "Exists":
		return there
	case "DoesNotExist":
		return !there
	}
	have, err := strconv.ParseInt(value, 10, 64)
	if !there || err != nil || len(q.values) != 1 {
		return false
	}
	bound, err := strconv.ParseInt(q.values[0], 10, 64)
	return err == nil && (q.operator == "Gt" && have > bound || q.operator == "Lt" && have < bound)
}

// requirements returns all requirements about a label.
func (s Selector) requirements(label string) []requirement {
	var all []requirement
	for _, list := range append([][]requirement{s.all}, s.terms...) {
		for _, q := range list {
			if q.key == label && !q.field {
				all = append(all, q)
			}
		}
	}
	return all
}

// String formats the selector for people: "kubernetes.io/arch=arm64".
func (s Selector) String() string {
	var words []string
	if s.node != "" {
		words = append(words, "nodeName="+s.node)
	}
	if s.os != "" {
		words = append(words, "os="+s.os)
	}
	for _, q := range s.all {
		words = append(words, q.key+"="+strings.Join(q.values, ","))
	}
	var terms []string
	for _, t := range s.terms {
		var all []string
		for _, q := range t {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", q.key, q.operator, strings.Join(q.values, ","))))
		}
		terms = append(terms, strings.Join(all, " and "))
	}
	if len(terms) > 0 {
		words = append(words, strings.Join(terms, " or "))
	}
	if len(words) == 0 {
		return "no selector"
	}
	return strings.Join(words, ", ")
}

// placement returns Swarm's placement constraints about platforms in the terms of Kubernetes:
// https://docs.docker.com/reference/cli/docker/service/create/#constraint
func (r *reader) placement(what string, s *node) (all []requirement, err error) {
	for _, n := range s.get("deploy", "placement", "constraints").all() {
		key, err := r.filled(what, n)
		if err != nil {
			return nil, err
		}
		value, operator := "", "In"
		if before, after, ok := strings.Cut(key, "!="); ok {
			key, value, operator = before, after, "NotIn"
		} else if before, after, ok := strings.Cut(key, "=="); ok {
			key, value = before, after
		} else {
			return nil, errorf(n.in(r.file), n.at(), "%s: %q is not a constraint: it needs == or !=", what, key)
		}
		if label, word := constraint(key, value); label != "" {
			all = append(all, requirement{key: label, operator: operator, values: []string{word}})
		}
	}
	return all, nil
}

// constraint converts a label and a value of Swarm, whose nodes call themselves x86_64 and aarch64, to those of
// Kubernetes; "" for anything but platforms.
func constraint(key, value string) (label, word string) {
	value = strings.TrimSpace(value)
	switch strings.ToLower(strings.TrimSpace(key)) {
	case "node.platform.arch":
		return archLabel, platform.Normalize(v1.Platform{OS: "linux", Architecture: value}).Architecture
	case "node.platform.os":
		return osLabel, platform.Normalize(v1.Platform{OS: value}).OS
	}
	return "", ""
}
