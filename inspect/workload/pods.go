package workload

import (
	"strings"
)

// containerWord is what is called that a member of a pod specification or of something like it holds; "" for other members.
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

// isPodSpec reports whether a mapping has containers with images, or stands where a pod specification does and has containers.
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

// container is a container of a pod, or one that has its members.
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

// completed are the kinds whose operators complete containers, so that one without an image is no mistake.
func (o object) completed() bool {
	switch o.group {
	case "monitoring.coreos.com", "flink.apache.org", "kafka.strimzi.io", "postgresql.cnpg.io", "rabbitmq.com", "jaegertracing.io",
		"opentelemetry.io", "sparkoperator.k8s.io", "clickhouse.altinity.com", "k8s.keycloak.org", "argoproj.io", "grafana.integreatly.org",
		"mongodbcommunity.mongodb.com", "cassandra.datastax.com", "k8ssandra.io", "acid.zalan.do", "solr.apache.org":
		return o.kind != "Rollout" && o.kind != "Workflow"
	}
	return strings.HasSuffix(o.group, ".k8s.elastic.co")
}

// volume is a volume of a pod, which may be an image: https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
func (r *reader) volume(v *node, s spot) error {
	image := imageOf(v.get("image", "reference"))
	if image.text == "" {
		return nil
	}
	what := s.object.String() + ", image volume " + v.get("name").scalar()
	return r.use(image, s, Use{Place: Place{What: what}, Selector: s.selector, Process: Process{Volume: true}})
}
