package workload

import (
	"fmt"
	"slices"
	"strings"
)

// field is a path at which objects name images.
type field struct {
	group string
	kinds string // names separated by blanks; "" for all of the group
	path  string // members separated by dots; * matches one member, ** any number
	shape shape
	own   int // 1 + the index in Options.Fields; 0 for a built-in field
}

// shape reads the value of a field.
type shape func(*reader, *node, spot) error

// fields returns the fields of known kinds, other than those of pod templates. Paths go through the items of lists.
func fields() []field {
	container, outside, mounted, values, embedded := (*reader).container, (*reader).outside, (*reader).mounted,
		(*reader).values, (*reader).embedded
	return []field{
		// https://argo-workflows.readthedocs.io/en/latest/fields/
		{group: "argoproj.io", path: "**.container", shape: container},
		{group: "argoproj.io", path: "**.script", shape: container},
		{group: "argoproj.io", path: "**.sidecars", shape: container},
		{group: "argoproj.io", path: "**.resource.manifest", shape: embedded},
		// https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml
		{group: "argoproj.io", path: "**.helm", shape: (*reader).helm},
		{group: "argoproj.io", path: "**.kustomize.images", shape: (*reader).replacement},
		{group: "argoproj.io", kinds: "ArgoCD", path: "spec.**.image", shape: outside},
		// https://tekton.dev/docs/pipelines/pipeline-api/
		{group: "tekton.dev", path: "**.steps", shape: (*reader).step},
		{group: "tekton.dev", path: "**.sidecars", shape: container},
		{group: "tekton.dev", path: "**.stepTemplate", shape: (*reader).step},
		{group: "tekton.dev", kinds: "StepAction", path: "spec", shape: (*reader).step},
		// https://kubevirt.io/api-reference/, https://github.com/kubevirt/containerized-data-importer
		{group: "kubevirt.io", path: "**.containerDisk.image", shape: mounted},
		{group: "kubevirt.io", path: "**.kernelBoot.container.image", shape: mounted},
		{group: "kubevirt.io", path: "**.source.registry.url", shape: mounted},
		{group: "pool.kubevirt.io", path: "**.containerDisk.image", shape: mounted},
		{group: "cdi.kubevirt.io", path: "**.source.registry.url", shape: mounted},
		// https://github.com/kubeflow/spark-operator/blob/master/docs/api-docs.md
		{group: "sparkoperator.k8s.io", path: "**.image", shape: outside},
		// https://prometheus-operator.dev/docs/api-reference/api/
		{group: "monitoring.coreos.com", path: "**.image", shape: outside},
		// https://olm.operatorframework.io/docs/
		{group: "operators.coreos.com", path: "**.relatedImages.image", shape: outside},
		{group: "operators.coreos.com", path: "spec.image", shape: outside},
		// https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/
		{group: "postgresql.cnpg.io", path: "spec.imageName", shape: outside},
		{group: "postgresql.cnpg.io", path: "spec.images.image", shape: outside},
		{group: "postgresql.cnpg.io", path: "**.extensions.image.reference", shape: mounted},
		// https://docs.crossplane.io/latest/packages/
		{group: "pkg.crossplane.io", path: "spec.package", shape: mounted},
		{group: "pkg.crossplane.io", path: "spec.image", shape: outside},
		{group: "meta.pkg.crossplane.io", path: "spec.**.image", shape: outside},
		// https://fluxcd.io/flux/components/helm/helmreleases/, https://docs.k3s.io/helm
		{group: "helm.toolkit.fluxcd.io", path: "spec.values", shape: values},
		{group: "helm.toolkit.fluxcd.io", path: "**.kustomize.images", shape: (*reader).replacement},
		{group: "kustomize.toolkit.fluxcd.io", path: "spec.images", shape: (*reader).replacement},
		{group: "helm.cattle.io", path: "spec", shape: (*reader).helm},
		// https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
		{group: kustomizeGroup, path: "images", shape: (*reader).replacement},
		{group: kustomizeGroup, path: "helmCharts.valuesInline", shape: values},
		// Operators that name the image that they run.
		{
			group: "kafka.strimzi.io", kinds: "Kafka KafkaBridge KafkaMirrorMaker KafkaMirrorMaker2", path: "**.image",
			shape: outside,
		},
		{group: "kafka.strimzi.io", kinds: "KafkaConnect", path: "spec.image", shape: outside},
		{group: "flink.apache.org", path: "spec.image", shape: outside},
		{group: "rabbitmq.com", path: "spec.image", shape: outside},
		{group: "acid.zalan.do", path: "**.dockerImage", shape: outside},
		{group: "opentelemetry.io", path: "**.image", shape: outside},
		{group: "jaegertracing.io", path: "**.image", shape: outside},
		{group: "ceph.rook.io", path: "**.cephVersion.image", shape: outside},
		{group: "minio.min.io", path: "**.image", shape: outside},
		{group: "k8s.keycloak.org", path: "spec.image", shape: outside},
		{group: "operator.victoriametrics.com", path: "**.image", shape: outside},
	}
}

// kustomizeGroup is the API group of the files that kustomize itself reads, which may leave it out.
const kustomizeGroup = "kustomize.config.k8s.io"

// Field is a path at which objects of a kind name an image, as given by the user.
type Field struct {
	Group string // the API group; "" means any
	Kind  string
	// the members from the object to the image, separated by dots; * matches one member, ** any number
	Path string
}

// String returns KIND[.GROUP]=PATH.
func (f Field) String() string {
	kind := f.Kind
	if f.Group != "" {
		kind += "." + f.Group
	}
	return kind + "=" + f.Path
}

// ParseField parses KIND[.GROUP]=PATH.
func ParseField(text string) (Field, error) {
	kind, path, ok := strings.Cut(text, "=")
	kind, group, _ := strings.Cut(kind, ".")
	if path = strings.TrimPrefix(path, "."); !ok || kind == "" || path == "" ||
		slices.Contains(strings.Split(path, "."), "") {
		return Field{}, fmt.Errorf("parsing field %q: it should be KIND=PATH, such as Database=spec.runtime.image", text)
	}
	return Field{group, kind, strings.NewReplacer("[]", "", "[*]", "").Replace(path)}, nil
}

// FieldResult is the result of one of Options.Fields in a file.
type FieldResult int

// In increasing order of weight.
const (
	NoObject FieldResult = iota // the file has no object of the kind
	NoValue                     // its objects name nothing there
	Named
)

// fieldsOf returns the fields of an object, the caller's first.
func (r *reader) fieldsOf(o object) []field {
	var all []field
	for i, f := range r.options.Fields {
		if f.Kind == o.kind && (f.Group == "" || f.Group == o.group) {
			r.found.FieldResults[i] = max(r.found.FieldResults[i], NoValue)
			all = append(all, field{path: f.Path, shape: (*reader).outside, own: i + 1})
		}
	}
	for _, f := range r.fields {
		if f.group == o.group && (f.kinds == "" || slices.Contains(strings.Fields(f.kinds), o.kind)) {
			all = append(all, f)
		}
	}
	return all
}

// shapeAt returns how to read the value there; nil if that is not a field.
func (r *reader) shapeAt(s spot) shape {
	for _, f := range s.fields {
		if !leads(strings.Split(f.path, "."), s.path) {
			continue
		}
		if f.own > 0 {
			r.found.FieldResults[f.own-1] = Named
		}
		return f.shape
	}
	return nil
}

// leads reports whether a path matches a pattern.
func leads(pattern, path []string) bool {
	switch {
	case len(pattern) == 0:
		return len(path) == 0
	case pattern[0] == "**":
		return leads(pattern[1:], path) || len(path) > 0 && leads(pattern, path[1:])
	}
	return len(path) > 0 && (pattern[0] == "*" || pattern[0] == path[0]) && leads(pattern[1:], path[1:])
}
