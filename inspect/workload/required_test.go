package workload_test

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/inspect/workload"
)

const cluster = `{"apiVersion": "v1", "kind": "List", "items": [
{"kind": "Node", "metadata": {"name": "a", "labels": {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "disk": "ssd", "cores": "8"}}},
{"kind": "Node", "metadata": {"name": "b", "labels": {"beta.kubernetes.io/arch": "arm64", "beta.kubernetes.io/os": "linux", "cores": "64"}},
 "spec": {"taints": [{"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"}]}},
{"kind": "Node", "metadata": {"name": "c"}, "status": {"nodeInfo": {"architecture": "s390x", "operatingSystem": "linux"}},
 "spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, {"key": "x", "effect": "PreferNoSchedule"}]}},
{"kind": "Node", "metadata": {"name": "w", "labels": {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "windows"}},
 "spec": {"taints": [{"key": "os", "value": "windows", "effect": "NoExecute"}]}}]}`

// required formats the platforms that the image of a pod needs, with a ! if no node matches.
func required(t *testing.T, spec string, u workload.Universe) string {
	t.Helper()
	file := "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{image: x}]\n  " + strings.ReplaceAll(spec, "\n", "\n  ")
	found, err := workload.Read("f", []byte(file), workload.Options{})
	if err != nil {
		return err.Error()
	}
	platforms, noNode := found.Uses[0].Required(u)
	var all []string
	for _, p := range platforms {
		all = append(all, platform.Format(p))
	}
	if noNode {
		all = append(all, "!")
	}
	return strings.Join(all, " ")
}

func terms(all ...string) string {
	return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" +
		strings.Join(all, ",") + "]}}}"
}

func TestRequired(t *testing.T) {
	t.Parallel()
	nodes, err := workload.ReadNodes("nodes", []byte(cluster))
	if err != nil {
		t.Fatal(err)
	}
	both := workload.Universe{Platforms: []v1.Platform{
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm", Variant: "v7"},
		{OS: "windows", Architecture: "amd64"},
	}}
	const tolerant = "tolerations: [{operator: Exists}]\n"
	for _, c := range []struct{ spec, alone, among, cluster string }{
		{"", "", "linux/amd64 linux/arm/v7 windows/amd64", "linux/amd64 linux/s390x"},
		{"nodeSelector: {kubernetes.io/arch: arm64}", "linux/arm64", "linux/arm64", "linux/arm64 !"},
		{tolerant + "nodeSelector: {kubernetes.io/arch: arm64}", "linux/arm64", "linux/arm64", "linux/arm64"},
		{tolerant + "nodeSelector: {beta.kubernetes.io/arch: arm}", "linux/arm/v7", "linux/arm/v7", "linux/arm/v7 !"},
		{
			"tolerations: [{key: kubernetes.io/arch, value: arm64, effect: NoSchedule}]", "",
			"linux/amd64 linux/arm/v7 windows/amd64", "linux/amd64 linux/arm64 linux/s390x",
		},
		{
			"tolerations: [{key: kubernetes.io/arch, value: arm64, effect: NoExecute}]", "",
			"linux/amd64 linux/arm/v7 windows/amd64", "linux/amd64 linux/s390x",
		},
		{tolerant + "os: {name: windows}", "windows/unknown", "windows/amd64", "windows/amd64"},
		{tolerant + "os: {name: linux}", "linux/unknown", "linux/amd64 linux/arm/v7", "linux/amd64 linux/arm64 linux/s390x"},
		{
			tolerant + "nodeSelector: {kubernetes.io/os: windows, kubernetes.io/arch: amd64}", "windows/amd64", "windows/amd64",
			"windows/amd64",
		},
		{"nodeSelector: {disk: ssd}", "", "linux/amd64 linux/arm/v7 windows/amd64", "linux/amd64"},
		{"nodeSelector: {disk: none}", "", "linux/amd64 linux/arm/v7 windows/amd64", "!"},
		{"nodeName: b", "", "linux/amd64 linux/arm/v7 windows/amd64", "linux/arm64"},
		{
			tolerant + terms("{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64, arm64]}]}"),
			"linux/amd64 linux/arm64", "linux/amd64 windows/amd64", "linux/amd64 linux/arm64 windows/amd64",
		},
		{
			tolerant + terms("{matchExpressions: [{key: kubernetes.io/arch, operator: NotIn, values: [amd64]}]}"), "",
			"linux/arm/v7", "linux/arm64 linux/s390x",
		},
		{tolerant + terms(
			"{matchExpressions: [{key: kubernetes.io/arch, operator: Exists}, {key: kubernetes.io/os, operator: In, values: [linux]}]}"), "linux/unknown", "linux/amd64 linux/arm/v7", "linux/amd64 linux/arm64 linux/s390x"},
		{tolerant + terms("{matchExpressions: [{key: kubernetes.io/arch, operator: DoesNotExist}]}"), "", "", "!"},
		// A node must match all of one term.
		{
			tolerant + terms("{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [arm64]}]}",
				"{matchExpressions: [{key: disk, operator: Exists}]}"), "linux/arm64", "linux/amd64 linux/arm/v7 windows/amd64",
			"linux/amd64 linux/arm64",
		},
		{tolerant + terms(
			"{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [arm64, amd64]}, {key: kubernetes.io/arch, operator: NotIn, values: [arm64]}]}"), "linux/amd64", "linux/amd64 windows/amd64", "linux/amd64 windows/amd64"},
		{
			tolerant + terms("{matchExpressions: [{key: cores, operator: Gt, values: ['8']}]}"), "",
			"linux/amd64 linux/arm/v7 windows/amd64", "linux/arm64",
		},
		{
			tolerant + terms("{matchExpressions: [{key: cores, operator: Lt, values: ['64']}]}"), "",
			"linux/amd64 linux/arm/v7 windows/amd64", "linux/amd64",
		},
		{
			tolerant + terms("{matchFields: [{key: metadata.name, operator: In, values: [b]}]}"), "",
			"linux/amd64 linux/arm/v7 windows/amd64", "linux/arm64",
		},
		{tolerant + terms("{}"), "", "", "!"},
		{terms("{matchExpressions: [{key: kubernetes.io/arch, operator: Is, values: [arm64]}]}"), "", "", ""},
	} {
		if strings.Contains(c.spec, "operator: Is,") {
			if got := required(t, c.spec, both); !strings.Contains(got, `"Is" is not an operator`) {
				t.Errorf("%s: got %q", c.spec, got)
			}
			continue
		}
		if got := required(t, c.spec, workload.Universe{}); got != c.alone {
			t.Errorf("%s: without a universe %q, want %q", c.spec, got, c.alone)
		}
		if got := required(t, c.spec, both); got != c.among {
			t.Errorf("%s: among platforms %q, want %q", c.spec, got, c.among)
		}
		if got := required(t, c.spec, workload.Universe{Nodes: nodes}); got != c.cluster {
			t.Errorf("%s: in the cluster %q, want %q", c.spec, got, c.cluster)
		}
	}
}

func TestComposePlatform(t *testing.T) {
	t.Parallel()
	found, err := workload.Read("f", []byte("services: {a: {image: x, platform: linux/arm64/v8}}"), workload.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := found.Uses[0].Required(workload.Universe{Platforms: []v1.Platform{{OS: "linux", Architecture: "amd64"}}})
	if len(got) != 1 || platform.Format(got[0]) != "linux/arm64" {
		t.Errorf("got %v", got)
	}
}

func TestReadNodes(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		`{"kind": "List", "items": []}`: "no node",
		"kind: Pod":                     "no node",
		"kind: Node\nmetadata: {name: n}\nstatus: {nodeInfo: {architecture: arm64}}\n": `f:1: node "n" has its architecture`,
		"kind: [": "f:1",
	} {
		if _, err := workload.ReadNodes("f", []byte(file)); !errors.Is(err, workload.ErrFile) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", file, err, want)
		}
	}
	nodes, err := workload.ReadNodes("f",
		[]byte("apiVersion: v1\nitems:\n- kind: Node\n  status: {nodeInfo: {architecture: arm, operatingSystem: linux}}\n"))
	if err != nil || len(nodes) != 1 || platform.Format(nodes[0].Platform) != "linux/arm/v7" {
		t.Errorf("got %v, %v", nodes, err)
	}
}
