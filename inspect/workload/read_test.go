package workload_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"mtool/inspect/workload"
)

// shown formats the result of Read, one line each: "FILE:LINE what: image", and notes after an exclamation mark.
func shown(t *testing.T, data string, env, files map[string]string) string {
	t.Helper()
	o := workload.Options{Env: func(name string) (string, bool, error) {
		v, ok := env[name]
		if v == "withheld" {
			return "", false, errors.New("it is withheld")
		}
		return v, ok, nil
	}}
	if files != nil {
		o.Read = func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}
	}
	found, err := workload.Read("f", []byte(data), o)
	if err != nil {
		if !errors.Is(err, workload.ErrFile) {
			t.Errorf("the error is not an ErrFile: %v", err)
		}
		return "error " + err.Error()
	}
	var lines []string
	for _, u := range found.Uses {
		lines = append(lines, u.String()+" "+u.What+": "+u.Image)
	}
	for _, u := range found.Unchecked {
		lines = append(lines, fmt.Sprintf("? %s %s: %q %s", u.Place, u.What, u.Image, u.Why))
	}
	for _, n := range found.Notes {
		lines = append(lines, "! "+n.String())
	}
	return strings.Join(lines, "\n")
}

type readCase struct {
	name, file, want string
	env              map[string]string
	files            map[string]string // the other files of its directory
}

func runCases(t *testing.T, cases []readCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := shown(t, c.file, c.env, c.files)
			failed := strings.HasPrefix(c.want, "error ")
			if got != c.want && (!failed || !strings.HasPrefix(got, c.want)) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestReadKubernetes(t *testing.T) {
	t.Parallel()
	runCases(t, []readCase{
		{
			name: "pod",
			file: "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n  initContainers: [{name: i, image: a}]\n  containers:\n  - name: c\n    image: b:1\n  ephemeralContainers:\n  - name: e\n    image: c:2\n  volumes:\n  - name: v\n    image:\n      reference: d:3\n  - name: w\n    emptyDir: {}\n",
			want: "f:5 Pod shop/p, init container i: a\nf:8 Pod shop/p, container c: b:1\nf:11 Pod shop/p, ephemeral container e: c:2\nf:15 Pod shop/p, image volume v: d:3",
		},
		{
			name: "cron job",
			file: "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers: [{name: c, image: b}]\n",
			want: "f:9 CronJob j, container c: b",
		},
		{
			name: "pod template",
			file: "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: j}\ntemplate:\n  spec: {containers: [{name: c, image: b}]}\n",
			want: "f:5 PodTemplate j, container c: b",
		},
		{
			name: "list of lists",
			file: "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: DeploymentList\n  items:\n  - apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: d}\n    spec: {template: {spec: {containers: [{name: c, image: x}]}}}\n- apiVersion: v1\n  kind: ReplicationController\n  metadata: {name: r}\n  spec: {template: {spec: {containers: [{name: c, image: y}]}}}\n",
			want: "f:10 Deployment d, container c: x\nf:14 ReplicationController r, container c: y",
		},
		{
			name: "json",
			file: "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"spec\": {\"containers\": [\n\t\t{\"image\": \"x\\u003ay\"}]}}\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"image\": \"z\"}]}}",
			want: "f:5 Pod, container: x:y\nf:6 Pod, container: z",
		},
		{
			name: "flow style that is not JSON", file: "{apiVersion: v1, kind: Pod,\n spec: {containers: [{image: x}]}}",
			want: "f:2 Pod, container: x",
		},
		{
			name: "helm output",
			file: "---\n# Source: a/templates/empty.yaml\n---\n# Source: a/templates/a.yaml\napiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: d # why\nspec:\n  template:\n    spec:\n      containers:\n        - name: \"c\"\n          image: \"x:1\" # {{ not a template }}\n          args: [\"--- {{ neither }}\"]\n---\napiVersion: v1\nkind: ConfigMap\ndata:\n  pod.yaml: |\n    ---\n    image: y\n  containers: x\n...\n--- # again\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\nspec: {template: {spec: {containers: [{image: z}]}}}\n",
			want: "f:14 DaemonSet d, container c: x:1\nf:29 StatefulSet s, container: z",
		},
		{
			name: "custom resources",
			file: "apiVersion: example.com/v1\nkind: Rollout\nmetadata: {name: r}\nspec:\n  deep:\n  - er:\n      podTemplate:\n        spec:\n          containers:\n          - image: x\n---\napiVersion: monitoring.example.com/v1\nkind: Prometheus\nmetadata: {name: p}\nspec:\n  image: prom:2\nstatus:\n  image: prom:1\n",
			want: "f:10 Rollout r, container: x\n? f:16 Prometheus p, spec.image: \"prom:2\" what this field of a Prometheus names is not known to be run",
		},
		{
			name: "schemas and data are not workloads",
			file: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {x: {containers: [{image: no}]}}\n---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: yes}]}\nstatus: {containerStatuses: [{image: no}], containers: [{image: no}]}\n",
			want: "f:7 Pod, container: yes",
		},
		{
			name: "a patch",
			file: "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a}, {name: b, image: x}]}}}\n",
			want: "f:3 Deployment, container b: x\n? f:3 Deployment, container a: \"\" no image is named",
		},
		{
			name: "an admission review",
			file: `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"kind":{"kind":"Pod"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"new"}]}},"oldObject":{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"old"}]}}}}`,
			want: "f:1 Pod p, container c: new",
		},
		{
			name: "neither", file: "replicas: 1\n",
			want: "! f:1: neither a Kubernetes object nor a Compose file: not checked",
		},
		{name: "nothing", file: "# just words\n---\n", want: ""},
		{
			name: "the image is a number", file: "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: 12\n",
			want: "error f:5: Pod, container: the image is not a text",
		},
	})
}

func TestReadYAML(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: v1\nkind: Pod\n"
	runCases(t, []readCase{
		{
			name: "CRLF and BOM",
			file: "\ufeffapiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: x\r\n---\r\n" +
				"apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: y\r\n",
			want: "f:5 Pod, container: x\nf:11 Pod, container: y",
		},
		{
			name: "anchors, aliases and merge keys",
			file: head +
				"x: &base {image: a, name: n}\ny: &img b:1\nspec:\n  containers:\n  - <<: *base\n  - <<: *base\n    image: *img\n  - <<: [{name: first}, *base]\n",
			want: "f:3 Pod, container n: a\nf:4 Pod, container n: b:1\nf:3 Pod, container first: a",
		},
		{
			name: "the last of two keys", file: head + "spec:\n  containers:\n  - image: x\n    image: y\n",
			want: "f:6 Pod, container: y",
		},
		{name: "a block", file: head + "spec:\n  containers:\n  - image: >-\n      x:1\n", want: "f:5 Pod, container: x:1"},
		{
			name: "a quoted number and a tag", file: head + "spec:\n  containers:\n  - image: \"12\"\n  - image: !!str 13\n",
			want: "f:5 Pod, container: 12\nf:6 Pod, container: 13",
		},
		{
			name: "an alias without its anchor", file: head + "---\na: 1\nb: *nobody\n",
			want: "error f: unknown anchor 'nobody' referenced",
		},
		{
			name: "a tab", file: "# x\n---\n" + head + "spec:\n\tcontainers: []\n",
			want: "error f:6: found character that cannot start any token",
		},
		{name: "not UTF-8", file: "a\x00p\x00i\x00", want: "error f: it is not UTF-8 text"},
		{name: "an anchor in itself", file: "a: &a\n  b: *a\n", want: "error f:2: the anchor \"a\" is in itself"},
		{
			name: "a directive", file: "%YAML 1.2\n---\n" + head + "spec: {containers: [{image: x}]}\n",
			want: "f:5 Pod, container: x",
		},
		{
			name: "a template as a value", file: head + "spec:\n  containers:\n  - image: {{ .Values.image }}\n",
			want: "error f:5: a template that is not rendered",
		},
		{
			name: "a template in a text", file: head + "spec:\n  containers:\n  - image: \"{{ .Values.image }}:v1\"\n",
			want: "error f:5: a template that is not rendered: Pod, container",
		},
		{
			name: "a template that is not YAML",
			file: head + "# {{ no }}\nspec:\n{{- if .Values.x }}\n  containers:\n  - image: {{ .Values.image }}:v1\n",
			want: "error f:5: a template that is not rendered",
		},
	})
}

func TestReadCompose(t *testing.T) {
	t.Parallel()
	runCases(t, []readCase{
		{
			name: "services", file: "services:\n  web:\n    image: x:1\n    build: .\n  worker:\n    build: .\n  none: {}\n",
			want: "f:3 service web: x:1\n? f:7 service none: \"\" no image is named\n! f:6: service worker: it is built and names no image, so it is not checked",
		},
		{
			name: "variables", env: map[string]string{"TAG": "v2", "EMPTY": "", "H": "r.example.com"},
			file: "services:\n  a: {image: 'x:${TAG}'}\n  b: {image: 'x:$TAG'}\n  c: {image: 'x:${NO:-d}'}\n  d: {image: 'x:${EMPTY:-d}'}\n  e: {image: 'x${EMPTY-d}'}\n  f: {image: '${NO:-${H}/}x'}\n  g: {image: 'x${TAG:+:$TAG}${NO+none}'}\n  h: {image: 'x$$y'}\n",
			want: "f:2 service a: x:v2\nf:3 service b: x:v2\nf:4 service c: x:d\nf:5 service d: x:d\nf:6 service e: x\nf:7 service f: r.example.com/x\nf:8 service g: x:v2\nf:9 service h: x$y",
		},
		{
			name: "a variable that is not set", file: "services:\n  a:\n    image: x:${TAG}\n",
			want: "error f:3: service a: \"x:${TAG}\": the variable TAG is not set",
		},
		{
			name: "a variable that must be set", file: "services:\n  a:\n    image: x:${TAG:?say which}\n",
			want: "error f:3: service a: \"x:${TAG:?say which}\": the variable TAG is not set: say which",
		},
		{
			name: "a variable without an end", file: "services: {a: {image: 'x:${TAG'}}\n",
			want: "error f:1: service a: \"x:${TAG\": it has a $ that starts no valid variable",
		},
		{
			name: "no platform", file: "services:\n  a:\n    image: x\n    platform: linux/nonsense\n",
			want: "error f:4: service a: invalid platform \"linux/nonsense\"",
		},
	})
}

func TestReadBounds(t *testing.T) {
	t.Parallel()
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		name, before := string(rune('a'+i)), string(rune('a'+i-1))
		if i == 1 {
			before = "a0"
		}
		laughs.WriteString(name + ": &" + name + " [" + strings.TrimSuffix(strings.Repeat("*"+before+", ", 10), ", ") + "]\n")
	}
	for name, file := range map[string]string{
		"values":   laughs.String(),
		"levels":   strings.Repeat("[", 100_000),
		"levels ":  strings.Repeat("- ", 100_000) + "x",
		"levels  ": strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300),
	} {
		if got := shown(t, file, nil, nil); !strings.Contains(got, "more than") &&
			!strings.Contains(got, "exceeded max depth") {
			t.Errorf("%s: got %.200s, want an error about too many values or levels", name, got)
		}
	}
}

// A withheld variable counts as unset if the file has a default for it; otherwise it is an error.
func TestWithheldVariables(t *testing.T) {
	t.Parallel()
	env := map[string]string{"X": "withheld"}
	for image, want := range map[string]string{
		"${X:-v}": "v", "${X-v}": "v", "a${X:+v}": "a", "a${X+v}": "a", "${Y:-${X:-v}}": "v",
		"${X}": "it is withheld", "$X": "it is withheld", "${X:?why}": "it is withheld", "${Y:-$X}": "it is withheld",
	} {
		got := shown(t, "services: {a: {image: '"+image+"'}}", env, nil)
		if !strings.HasSuffix(got, ": "+want) {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
	if got := shown(t, "services: {a: {image: '$X'}}", env, map[string]string{".env": "X=file"}); !strings.HasSuffix(got,
		": file") {
		t.Errorf("set in .env: %q", got)
	}
}
