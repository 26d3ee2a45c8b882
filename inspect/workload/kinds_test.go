package workload_test

import (
	"fmt"
	"strings"
	"testing"

	"mtool/inspect/workload"
)

// The images of each kind are found in its known fields; possible images in other fields are reported.
func TestKinds(t *testing.T) {
	t.Parallel()
	const argo, tekton = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n",
		"apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\n"
	runCases(t, []readCase{
		{
			name: "argo container and script",
			file: argo +
				"spec:\n  templates:\n  - container: {image: a}\n  - script: {image: b, source: x}\n  - sidecars: [{name: s, image: c}]\n  - containerSet: {containers: [{name: d, image: d}]}\n  - initContainers: [{name: e, image: e}]\n",
			want: "f:6 Workflow w, container: a\nf:7 Workflow w, script: b\nf:8 Workflow w, sidecar s: c\nf:9 Workflow w, container d: d\nf:10 Workflow w, init container e: e",
		},
		{
			name: "argo parameters", file: argo + "spec: {templates: [{container: {image: '{{inputs.parameters.image}}'}}]}\n",
			want: "? f:4 Workflow w, container: \"{{inputs.parameters.image}}\" its name is filled in when it runs",
		},
		{
			name: "argo parameters without quotes",
			file: argo + "spec: {templates: [{container: {image: {{workflow.parameters.image}}}}]}\n",
			want: "? f:4 Workflow w, container: \"{{ }}\" its name is filled in when it runs",
		},
		{
			name: "argo in a chart", file: argo + "spec: {templates: [{container: {image: '{{ .Values.image }}'}}]}\n",
			want: "error f:4: a template that is not rendered",
		},
		{
			name: "argo with other text wrong", file: argo + "spec:\n  a: '{{inputs.parameters.x}}'\n\tb: 1\n",
			want: "error f:6: found character",
		},
		{
			name: "argo events",
			file: "apiVersion: argoproj.io/v1alpha1\nkind: Sensor\nspec:\n  template: {container: {image: a}}\n  triggers:\n  - template:\n      argoWorkflow:\n        source:\n          resource: {apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: in}, spec: {templates: [{container: {image: b}}]}}\n",
			want: "f:4 Sensor, container: a\nf:9 Workflow in, container: b",
		},
		{
			name: "argo manifest",
			file: argo +
				"spec:\n  templates:\n  - resource:\n      manifest: |\n        apiVersion: batch/v1\n        kind: Job\n        metadata: {name: j}\n        spec: {template: {spec: {containers: [{name: c, image: x}]}}}\n  - resource:\n      manifest: 'a: {{{b}'\n",
			want: "f:11 Job j, container c: x\n? f:13 Workflow w, spec.templates.resource.manifest: \"\" the text is not YAML before it runs",
		},
		{
			name: "argo cd",
			file: "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n  - helm:\n      valuesObject: {image: {repository: a, tag: 1}}\n      values: |\n        side:\n          image: b:2\n      parameters:\n      - {name: x.image.repository, value: c}\n      - {name: x.image.tag, value: v3}\n  - kustomize: {images: ['d=e:4', f]}\n",
			want: "f:9 Application, spec.sources.helm.values.side.image: b:2\nf:6 Application, spec.sources.helm.valuesObject.image: a:1\nf:11 Application, spec.sources.helm.x.image: c:v3\nf:13 Application, spec.sources.kustomize.images: e:4\n? f:13 Application, spec.sources.kustomize.images: \"f\" its tag is set elsewhere",
		},
		{
			name: "tekton task",
			file: tekton +
				"spec:\n  stepTemplate: {image: t}\n  steps: [{name: a, image: a}, {name: b}, {ref: {name: act}}, {name: p, image: $(params.image)}]\n  sidecars: [{name: s, image: c}]\n",
			want: "f:5 Task t, stepTemplate: t\nf:6 Task t, step a: a\nf:7 Task t, sidecar s: c\n? f:6 Task t, step p: \"$(params.image)\" its name is filled in later",
		},
		{
			name: "tekton pipeline",
			file: "apiVersion: tekton.dev/v1\nkind: PipelineRun\nspec: {pipelineSpec: {tasks: [{name: x, taskSpec: {steps: [{image: a}]}}], finally: [{taskSpec: {steps: [{name: n}]}}]}}\n",
			want: "f:3 PipelineRun, step: a\n? f:3 PipelineRun, step n: \"\" no image is named",
		},
		{
			name: "tekton action", file: "apiVersion: tekton.dev/v1beta1\nkind: StepAction\nspec:\n  image: a\n",
			want: "f:4 StepAction, spec: a",
		},
		{
			name: "kubevirt",
			file: "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nspec: {template: {spec: {nodeSelector: {kubernetes.io/arch: arm64}, volumes: [{containerDisk: {image: a}}], domain: {firmware: {kernelBoot: {container: {image: b}}}}}}}\n",
			want: "f:3 VirtualMachine, spec.template.spec.volumes.containerDisk.image: a\nf:3 VirtualMachine, spec.template.spec.domain.firmware.kernelBoot.container.image: b",
		},
		{
			name: "spark",
			file: "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nspec: {image: a, driver: {image: b, initContainers: [{name: i, image: c}]}, executor: {sidecars: [{name: s, image: d}]}}\n",
			want: "f:3 SparkApplication, spec.image: a\nf:3 SparkApplication, spec.driver.image: b\nf:3 SparkApplication, init container i: c\nf:3 SparkApplication, spec.executor.sidecars.image: d",
		},
		{
			name: "prometheus",
			file: "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nspec:\n  image: a:1\n  thanos: {image: b:1}\n  containers: [{name: c, image: c}, {name: config-reloader, resources: {}}]\n",
			want: "f:4 Prometheus, spec.image: a:1\nf:5 Prometheus, spec.thanos.image: b:1\nf:6 Prometheus, container c: c\n! f:6: Prometheus, container config-reloader: its operator names the image, unless this file does",
		},
		{
			name: "olm",
			file: "apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata: {annotations: {containerImage: quay.io/x/y:1}}\nspec:\n  relatedImages: [{name: r, image: a}]\n  install: {spec: {deployments: [{spec: {template: {spec: {containers: [{name: c, image: b, env: [{name: RELATED_IMAGE_X, value: c}]}]}}}}]}}\n",
			want: "f:5 ClusterServiceVersion, spec.relatedImages.image: a\nf:6 ClusterServiceVersion, spec.install.spec.deployments.spec.template.spec.containers.env.RELATED_IMAGE_X: c\nf:6 ClusterServiceVersion, container c: b",
		},
		{
			name: "olm catalog and subscription",
			file: "apiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\nspec: {image: a}\n---\napiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nspec: {config: {env: [{name: RELATED_IMAGE_Y, value: b}]}}\n",
			want: "f:3 CatalogSource, spec.image: a\nf:7 Subscription, spec.config.env: b",
		},
		{
			name: "cnpg",
			file: "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nspec: {imageName: a:1}\n---\napiVersion: postgresql.cnpg.io/v1\nkind: ImageCatalog\nspec: {images: [{major: 16, image: b}]}\n",
			want: "f:3 Cluster, spec.imageName: a:1\nf:7 ImageCatalog, spec.images.image: b",
		},
		{
			name: "crossplane",
			file: "apiVersion: pkg.crossplane.io/v1\nkind: Provider\nspec: {package: xpkg.upbound.io/a/b:v1}\n",
			want: "f:3 Provider, spec.package: xpkg.upbound.io/a/b:v1",
		},
		{
			name: "flux",
			file: "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    image: {registry: r.io, repository: a, tag: 1.27}\n    x: {y: [{sidecarImage: {repository: b, digest: 'sha256:" + strings.Repeat("a", 64) + "'}}]}\n    z: {image: c, imageTag: v1}\n    only: {image: {tag: v2}}\n    open: {image: {repository: d}}\n    hidden: {x: quay.io/e/f:1}\n    other: {repository: g, tag: h}\n    url: {repository: https://x/y, tag: z}\n    pull: {image: {pullPolicy: Always}}\n  postRenderers: [{kustomize: {images: [{name: i, newName: j, newTag: k}]}}]\n",
			want: "f:5 HelmRelease, spec.values.image: r.io/a:1.27\nf:6 HelmRelease, spec.values.x.y.sidecarImage: b@sha256:" +
				strings.Repeat("a", 64) +
				"\nf:7 HelmRelease, spec.values.z.image: c:v1\nf:11 HelmRelease, spec.values.other: g:h\nf:14 HelmRelease, spec.postRenderers.kustomize.images: j:k" +
				"\n? f:8 HelmRelease, spec.values.only.image: \":v2\" the rest of its name is set elsewhere\n? f:9 HelmRelease, spec.values.open.image: \"d\" its tag is set elsewhere\n? f:10 HelmRelease, spec.values.hidden.x: \"quay.io/e/f:1\" this value is not known to name one",
		},
		{
			name: "k3s",
			file: "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nspec:\n  valuesContent: |-\n    image: {repository: a, tag: b}\n  set: {c.image.repository: d, c.image.tag: e}\n",
			want: "f:5 HelmChart, spec.valuesContent.image: a:b\nf:6 HelmChart, spec.c.image: d:e",
		},
		{
			name: "kustomization",
			file: "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- {name: a, newTag: v1}\n- {name: b, newName: c}\n", want: "f:4 Kustomization, images: a:v1\n? f:5 Kustomization, images: \"c\" its tag is set elsewhere",
		},
		{
			name: "arguments and variables",
			file: "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: x\n    env: [{name: JOB_IMAGE, value: 'a:1'}, {name: URL, value: 'http://h.io/x:1'}, {name: N, value: 'IfNotPresent'}]\n    args: ['--reloader=quay.io/x/y:1', --default-image, 'b:2', '--listen=0.0.0.0:80', '--image-pull-policy=Always', '--at=/etc/a:b', '--url=https://h.io/x:1', '--peer=h.io:80/x']\n",
			want: "f:5 Pod, container: x\n? f:6 Pod, container: \"a:1\" a variable (JOB_IMAGE) names it\n? f:7 Pod, container: \"quay.io/x/y:1\" an argument names it\n? f:7 Pod, container: \"b:2\" an argument names it",
		},
		{
			name: "filled in later",
			file: "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: auto}, {image: ko://x/y}, {image: '${IMAGE}'}, {image: ' '}]}\n",
			want: "? f:3 Pod, container: \"auto\" Istio fills in the name\n? f:3 Pod, container: \"ko://x/y\" ko builds it\n? f:3 Pod, container: \"${IMAGE}\" its name is filled in later\n? f:3 Pod, container: \"\" no image is named",
		},
		{
			name: "no container has an image",
			file: "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a}]}}}\n",
			want: "? f:3 Deployment, container a: \"\" no image is named",
		},
		{
			name: "rules about images",
			file: "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [{validate: {pattern: {spec: {containers: [{image: '!*:latest'}]}}}}]}\n", want: "",
		},
		{
			name: "unknown kinds",
			file: "apiVersion: x.io/v1\nkind: App\nspec:\n  image: a\n  b: {runnerImage: 'c:1', logoImage: logo, image: {repository: d, tag: e}}\n  f: quay.io/g/h:1\n  template: {spec: {containers: [{image: i}]}}\n",
			want: "f:7 App, container: i\n? f:4 App, spec.image: \"a\" what this field of a App names is not known to be run\n? f:5 App, spec.b.runnerImage: \"c:1\" what this field of a App names is not known to be run\n? f:5 App, spec.b.image: \"d:e\" what this field of a App names is not known to be run\n? f:6 App, spec.f: \"quay.io/g/h:1\" this field of a App is not known to name one",
		},
		{
			name: "neither, twice", file: "a: 1\n---\nb: 2\n---\n- c: 3\n",
			want: "! f:1: neither a Kubernetes object nor a Compose file: not checked",
		},
	})
}

// The caller's fields are read, and FieldResults counts the matches of each.
func TestFields(t *testing.T) {
	t.Parallel()
	file := "apiVersion: x.io/v1\nkind: App\nspec: {runtime: a, more: [{it: b}], image: c}\n"
	for words, want := range map[string]string{
		"App=spec.runtime App.x.io=spec.more.it": "a b | [2 2]",
		"App=spec.more[].it App.y.io=**.runtime": "b | [2 0]",
		"App=spec.runtim Other=spec.runtime":     " | [1 0]",
		"App=spec.*":                             "a c | [2]",
	} {
		var o workload.Options
		for word := range strings.FieldsSeq(words) {
			f, err := workload.ParseField(word)
			if err != nil {
				t.Fatal(err)
			}
			o.Fields = append(o.Fields, f)
		}
		found, err := workload.Read("f", []byte(file), o)
		if err != nil {
			t.Errorf("%s: %v", words, err)
		}
		var images []string
		for _, u := range found.Uses {
			images = append(images, u.Image)
		}
		if got := strings.Join(images, " ") + " | " + fmt.Sprint(found.FieldResults); got != want {
			t.Errorf("%s: got %s, want %s", words, got, want)
		}
	}
	for _, text := range []string{"App", "=x", "App=", "App=a..b", "App=."} {
		if f, err := workload.ParseField(text); err == nil {
			t.Errorf("%q is %v", text, f)
		}
	}
}
