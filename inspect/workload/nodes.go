package workload

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// Node is a machine of a cluster.
type Node struct {
	Name     string
	Platform v1.Platform
	labels   map[string]string
	taints   []taint
}

type taint struct{ key, value, effect string }

// ReadNodes reads what `kubectl get nodes -o json` prints, or -o yaml. Errors wrap ErrFile; a file without nodes is
// one.
func ReadNodes(name string, data []byte) ([]Node, error) {
	docs, err := documents(name, data)
	if err != nil {
		return nil, err
	}
	var nodes []Node
	for _, doc := range docs {
		objects := doc.get("items").list()
		if doc.get("kind").str() == "Node" {
			objects = []*node{doc}
		}
		for _, o := range objects {
			if o.get("kind").str() != "Node" {
				continue
			}
			n, err := readNode(name, o)
			if err != nil {
				return nil, err
			}
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, errorf(name, 0, "it has no nodes; it should be the JSON that kubectl get nodes prints")
	}
	return nodes, nil
}

func readNode(file string, o *node) (Node, error) {
	n := Node{Name: o.get("metadata", "name").scalar(), labels: map[string]string{}}
	for _, l := range o.get("metadata", "labels").members() {
		n.labels[canonicalLabel(l.key)] = l.value.scalar()
	}
	info := o.get("status", "nodeInfo")
	for label, member := range map[string]string{archLabel: "architecture", osLabel: "operatingSystem"} {
		if n.labels[label] == "" {
			n.labels[label] = info.get(member).scalar()
		}
	}
	if n.labels[archLabel] == "" || n.labels[osLabel] == "" {
		return n, errorf(file, o.at(),
			"node %q has its architecture and system neither in labels nor in status.nodeInfo", n.Name)
	}
	n.Platform = platform.Normalize(v1.Platform{OS: n.labels[osLabel], Architecture: n.labels[archLabel]})
	for _, t := range o.get("spec", "taints").list() {
		n.taints = append(n.taints, taint{t.get("key").scalar(), t.get("value").scalar(), t.get("effect").scalar()})
	}
	return n, nil
}

// admitsNode reports whether the scheduler could place the pod on a healthy node.
func (s Selector) admitsNode(n Node) bool {
	if s.node != "" {
		return s.node == n.Name // this bypasses the scheduler
	}
	for _, t := range n.taints {
		if t.repels() && !s.tolerates(t) {
			return false
		}
	}
	return s.admits(func(q requirement) (string, bool, bool) {
		if q.field {
			return n.Name, true, q.key == "metadata.name"
		}
		value, there := n.labels[q.key]
		return value, there, true
	})
}

// repels reports whether a taint keeps pods away permanently. Those under node.kubernetes.io mean that a node is
// unhealthy or being drained: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
func (t taint) repels() bool {
	passing := strings.HasPrefix(t.key, "node.kubernetes.io/") ||
		strings.HasPrefix(t.key, "node.cloudprovider.kubernetes.io/")
	return !passing && (t.effect == "NoSchedule" || t.effect == "NoExecute")
}

func (s Selector) tolerates(t taint) bool {
	for _, tol := range s.tolerations {
		if tol.effect != "" && tol.effect != t.effect {
			continue
		}
		switch {
		case tol.operator == "Exists":
			if tol.key == "" || tol.key == t.key {
				return true
			}
		case tol.key == t.key && tol.value == t.value:
			return true
		}
	}
	return false
}
