package workload_test

import (
	"reflect"
	"testing"

	"mtool/inspect/workload"
)

// The process settings of a place replace the image's, as Kubernetes and Compose define it.
func TestProcess(t *testing.T) {
	t.Parallel()
	none := []string{}
	for _, c := range []struct {
		name, file string
		want       workload.Process
	}{
		{"no settings", pod(""), workload.Process{}},
		{"command", pod("command: [/m, up]"), workload.Process{Entrypoint: []string{"/m", "up"}, Cmd: none}},
		{"empty command", pod("command: []"), workload.Process{}},
		{"args", pod("args: [up]"), workload.Process{Cmd: []string{"up"}}},
		{
			"both, with variables",
			pod("env: [{name: A, value: /x}, {name: B, value: $(A)/y}], command: [$(B), $$(A), $(C)], args: [$A]"),
			workload.Process{Entrypoint: []string{"/x/y", "$(A)", "$(C)"}, Cmd: []string{"$A"}},
		},
		{
			"a variable from a secret",
			pod("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}], command: [/m, $(A)]"),
			workload.Process{
				Entrypoint: []string{"/m", "\x00"}, Cmd: none,
				Unknown: `"$(A)" is known when the container starts`,
			},
		},
		{
			"PATH and the working directory", pod("env: [{name: PATH, value: /a:/b}], workingDir: /w"),
			workload.Process{Env: []string{"PATH=/a:/b"}, WorkingDir: "/w"},
		},
		{
			"PATH from elsewhere", pod("env: [{name: PATH, valueFrom: {configMapKeyRef: {name: s, key: k}}}]"),
			workload.Process{Unknown: "PATH is set when the container starts"},
		},
		{
			"probes, hooks and mounts",
			pod("livenessProbe: {exec: {command: [a, b]}}, lifecycle: {preStop: {exec: {command: [c]}}}, volumeMounts: [{name: v, mountPath: /v}]"),
			workload.Process{Extra: [][]string{{"a", "b"}, {"c"}}, Mounts: []string{"/v"}},
		},

		{"service", service(""), workload.Process{}},
		{
			"entrypoint drops the image's command", service("entrypoint: [/m]"),
			workload.Process{Entrypoint: []string{"/m"}, Cmd: none},
		},
		{"no entrypoint", service("entrypoint: []\n    command: x"), workload.Process{Entrypoint: none, Cmd: []string{"x"}}},
		{
			"a line", service(`command: sh -c "a 'b' \"c\"" d\ e`),
			workload.Process{Cmd: []string{"sh", "-c", `a 'b' "c"`, "d e"}},
		},
		{"an empty line", service(`command: ""`), workload.Process{Cmd: none}},
		{
			"an incomplete line", service(`command: a "b`),
			workload.Process{Cmd: []string{"a", "b"}, Unknown: `"a \"b" is not a complete command line`},
		},
		{"health check", service("healthcheck: {test: [CMD, /h, -x]}"), workload.Process{Health: []string{"/h", "-x"}}},
		{
			"health check as a line", service("healthcheck: {test: /h || exit 1}"),
			workload.Process{Health: []string{"/bin/sh", "-c", "/h || exit 1"}},
		},
		{
			"health check for the shell", service("healthcheck: {test: [CMD-SHELL, /h]}"),
			workload.Process{Health: []string{"/bin/sh", "-c", "/h"}},
		},
		{"health check off", service("healthcheck: {disable: true}"), workload.Process{Health: none}},
		{"no health check", service("healthcheck: {test: [NONE]}"), workload.Process{Health: none}},
		{
			"environment and the working directory", service("environment: [A=b, PATH=/a]\n    working_dir: /w"),
			workload.Process{Env: []string{"PATH=/a"}, WorkingDir: "/w"},
		},
		{"environment as a mapping", service("environment: {PATH: /a}"), workload.Process{Env: []string{"PATH=/a"}}},
		{
			"mounts and hooks",
			service("volumes: [./a:/b:ro, {type: bind, source: c, target: /d}]\n    tmpfs: /e\n    post_start: [{command: [/p]}]"),
			workload.Process{Mounts: []string{"/b", "/d", "/e"}, Extra: [][]string{{"/p"}}},
		},
	} {
		found, err := workload.Read(c.name, []byte(c.file), workload.Options{})
		if err != nil || len(found.Uses) != 1 {
			t.Errorf("%s: %v, %d uses", c.name, err, len(found.Uses))
			continue
		}
		got := found.Uses[0].Process
		if len(got.Env) == 0 {
			got.Env = nil
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestVolumeProcess(t *testing.T) {
	t.Parallel()
	file := pod("") + "  volumes: [{name: v, image: {reference: y}}]\n"
	found, err := workload.Read("x", []byte(file), workload.Options{})
	if err != nil || len(found.Uses) != 2 || found.Uses[0].Process.Volume || !found.Uses[1].Process.Volume {
		t.Errorf("%+v, %v", found.Uses, err)
	}
}

func pod(container string) string {
	return "apiVersion: v1\nkind: Pod\nspec:\n  containers: [{image: x, " + container + "}]\n"
}

func service(members string) string { return "services:\n  s:\n    image: x\n    " + members + "\n" }
