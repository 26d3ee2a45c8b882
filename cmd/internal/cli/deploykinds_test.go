package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// deployed is a file with one object of a kind, which names the image IMAGE. unchecked is an image name for that kind
// that can't be resolved.
type deployed struct{ kind, file, unchecked string }

func deployments() []deployed {
	pod := func(version, kind, before, after string) string {
		return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: x}\nspec: " + before +
			"{containers: [{name: c, image: \"IMAGE\"}]}" + after + "\n"
	}
	spec := func(version, kind, spec string) string {
		return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: x}\nspec:\n  " +
			strings.ReplaceAll(spec, "\n", "\n  ") + "\n"
	}
	return []deployed{
		{"Pod", pod("v1", "Pod", "", ""), ""},
		{"Deployment", pod("apps/v1", "Deployment", "{template: {spec: ", "}}"), ""},
		{"CronJob", pod("batch/v1", "CronJob", "{jobTemplate: {spec: {template: {spec: ", "}}}}"), "$(IMAGE)"},
		{"Rollout", pod("argoproj.io/v1alpha1", "Rollout", "{template: {spec: ", "}}"), ""},
		{"RayCluster", pod("ray.io/v1", "RayCluster", "{headGroupSpec: {template: {spec: ", "}}}"), ""},
		{"Service", pod("serving.knative.dev/v1", "Service", "{template: {spec: ", "}}"), "ko://example.com/cmd/x"},
		{
			"Workflow", spec("argoproj.io/v1alpha1", "Workflow", `templates: [{container: {image: "IMAGE"}}]`),
			"{{inputs.parameters.image}}",
		},
		{
			"EventSource", spec("argoproj.io/v1alpha1", "EventSource", `template: {container: {image: "IMAGE"}}`),
			"{{workflow.parameters.image}}",
		},
		{"Task", spec("tekton.dev/v1", "Task", `steps: [{name: s, image: "IMAGE"}]`), "$(params.image)"},
		{"Pipeline", spec("tekton.dev/v1", "Pipeline", `tasks: [{taskSpec: {sidecars: [{name: s, image: "IMAGE"}]}}]`), ""},
		{"StepAction", spec("tekton.dev/v1beta1", "StepAction", `image: "IMAGE"`), "$(params.image)"},
		{
			"VirtualMachine",
			spec("kubevirt.io/v1", "VirtualMachine", `template: {spec: {volumes: [{containerDisk: {image: "IMAGE"}}]}}`),
			"${DISK}",
		},
		{
			"SparkApplication", spec("sparkoperator.k8s.io/v1beta2", "SparkApplication", `driver: {image: "IMAGE"}`),
			"${SPARK}",
		},
		{"Prometheus", spec("monitoring.coreos.com/v1", "Prometheus", `thanos: {image: "IMAGE"}`), "${THANOS}"},
		{
			"ClusterServiceVersion",
			spec("operators.coreos.com/v1alpha1", "ClusterServiceVersion", `relatedImages: [{name: r, image: "IMAGE"}]`),
			"${IMAGE}",
		},
		{
			"Subscription",
			spec("operators.coreos.com/v1alpha1", "Subscription", `config: {env: [{name: RELATED_IMAGE_X, value: "IMAGE"}]}`),
			"${IMAGE}",
		},
		{"Cluster", spec("postgresql.cnpg.io/v1", "Cluster", `imageName: "IMAGE"`), "${IMAGE}"},
		{"Provider", spec("pkg.crossplane.io/v1", "Provider", `package: "IMAGE"`), "${IMAGE}"},
		{"HelmRelease", spec("helm.toolkit.fluxcd.io/v2", "HelmRelease", "values: {a: {image: \"IMAGE\"}}"), "without-a-tag"},
		{
			"Application",
			spec("argoproj.io/v1alpha1", "Application", "source:\n  helm:\n    values: |\n      image: \"IMAGE\""),
			"without-a-tag",
		},
		{
			"Kustomization",
			"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: x, newName: \"IMAGE\", newTag: TAG}]\n", "without-a-tag",
		},
		{"App", spec("x.example.com/v1", "App", "template: {spec: {containers: [{image: \"IMAGE\"}]}}\nOTHER"), "other"},
	}
}

// with returns the file for the image repo:tag, or for the unchecked image if tag is "".
func (d deployed) with(repo, tag string) string {
	text := d.file
	switch {
	case tag != "":
		name := repo + ":" + tag
		if strings.Contains(text, "newTag") {
			name = repo
		}
		return strings.NewReplacer("IMAGE\"", name+"\"", "newTag: TAG", "newTag: "+tag, "OTHER", "").Replace(text)
	case d.unchecked == "other":
		return strings.NewReplacer("IMAGE\"", repo+":good\"", "OTHER", "image: what-is-it").Replace(text)
	}
	return strings.NewReplacer("IMAGE\"", d.unchecked+"\"", ", newTag: TAG", "").Replace(text)
}

// failures counts the failures in an output.
func failures(t *testing.T, output, out, errors string) (n int) {
	t.Helper()
	switch output {
	case "table":
		return strings.Count("\n"+errors, "\nmtool: ")
	case "json":
		return failuresOfJSON(t, out)
	case "sarif":
		return strings.Count(out, `"level": "error"`)
	case "junit":
		return strings.Count(out, "<failure ") + strings.Count(out, "<error ")
	case "github":
		return strings.Count(out, "::error ")
	case "markdown":
		return strings.Count(out, "- ❌")
	}
	return strings.Count(out, `<li><span class="tag bad">`)
}

func failuresOfJSON(t *testing.T, out string) (n int) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var doc struct {
			OK       bool
			Findings []struct{ State string }
		}
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return n
		case err != nil:
			t.Fatal(err)
		}
		before := n
		for _, f := range doc.Findings {
			if f.State == "mismatch" || f.State == "unchecked" {
				n++
			}
		}
		if doc.OK != (n == before) {
			t.Errorf("ok is %v with %d failing findings", doc.OK, n-before)
		}
	}
}

// In every output, an object of each kind passes with a good image and fails with a lying or an unchecked one.
func TestDeployedKinds(t *testing.T) {
	t.Setenv("MTOOL_HOME", t.TempDir())
	repo := deployable(t)
	path := filepath.Join(t.TempDir(), "x.yaml")
	for _, d := range deployments() {
		for _, c := range []struct {
			tag          string
			code         int
			least, limit int
		}{{"good", exitDone, 0, 0}, {"liar", exitContent, 1, 9}, {"", exitContent, 1, 1}} {
			if err := os.WriteFile(path, []byte(d.with(repo, c.tag)), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, output := range []string{"table", "json", "sarif", "junit", "github", "markdown", "html"} {
				var out, stderr bytes.Buffer
				code := Run(context.Background(),
					[]string{"inspect", "-f", path, "--require", "linux/amd64,linux/arm64", "-o", output},
					Stdio{Out: &out, Err: &stderr})
				n := failures(t, output, out.String(), stderr.String())
				if code != c.code || n < c.least || n > c.limit {
					t.Errorf("%s %q, %s: code %d, %d failures, want %d, %d to %d\n%s%s", d.kind, c.tag, output, code, n, c.code,
						c.least, c.limit, stderr.String(), out.String())
				}
			}
		}
	}
}

// deployable returns a repository with app:good, right for two platforms, and app:liar, wrong for one of them.
func deployable(t *testing.T) string {
	t.Helper()
	s := registrytest.New(t, registrytest.Options{})
	image := func(arch, binary string) registrytest.Built {
		return registrytest.Image(registrytest.ImageSpec{
			Platform: v1.Platform{OS: "linux", Architecture: arch}, Entrypoint: []string{"/app"},
			Files: [][]string{{"elf app " + binary, "elf bin/sh " + binary}},
		})
	}
	for tag, list := range map[string]registrytest.Built{
		"good": registrytest.ListOf(image("amd64", "amd64"), image("arm64", "arm64")),
		"liar": registrytest.ListOf(image("amd64", "amd64"), image("arm64", "amd64")),
	} {
		push(t, s, "app", tag, list)
	}
	return s.Host() + "/app"
}

func push(t *testing.T, s *registrytest.Server, repo, tag string, b registrytest.Built) {
	t.Helper()
	ref, err := registry.ParseRef("docker://" + s.Host() + "/" + repo + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	client := remote.NewClient(remote.Options{})
	defer client.Close()
	if err := b.Push(t.Context(), client.Repository(ref, remote.PullPush), tag); err != nil {
		t.Fatal(err)
	}
}
