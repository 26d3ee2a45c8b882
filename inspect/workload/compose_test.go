package workload_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/inspect/workload"
)

// A service inherits the members that it does not set; the reported line is that of the inherited member.
func TestReadExtends(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"base.yaml":        "services:\n  db:\n    image: d:${TAG}\n    extends: {file: sub/root.yaml, service: any}\n",
		"sub/root.yaml":    "services:\n  any:\n    platform: linux/arm64\n    image: r\n    extends: next\n  next: {image: n}\n",
		"sub/circles.yaml": "services:\n  a: {extends: {file: ../sub/circles.yaml, service: b}}\n  b: {extends: a}\n",
	}
	env := map[string]string{"TAG": "v2"}
	runCases(t, []readCase{
		{
			name: "a service of the same file", files: files, want: "f:4 service a: x\nf:4 service b: x\nf:5 service c: own",
			file: "services:\n  a:\n    extends: b\n  b: {image: x}\n  c: {image: own, extends: {service: b}}\n",
		},
		{
			name: "a file", files: files, env: env, want: "base.yaml:3 service a: d:v2",
			file: "services:\n  a:\n    extends:\n      file: ./base.yaml\n      service: db\n",
		},
		{
			name: "paths start at the file", files: files, want: "sub/root.yaml:4 service a: r",
			file: "services:\n  a: {extends: {file: sub/root.yaml, service: any}}\n",
		},
		{
			name: "a variable that is not set", files: files, want: "error base.yaml:3: service a: \"d:${TAG}\"",
			file: "services:\n  a: {extends: {file: base.yaml, service: db}}\n",
		},
		{
			name: "no such file", files: files,
			want: "error f:3: service a: extends: reading \"none.yaml\": file does not exist",
			file: "services:\n  a:\n    extends: {file: none.yaml, service: db}\n",
		},
		{
			name: "no such service", files: files,
			want: "error f:2: service a: extends: no service \"nobody\" in base.yaml",
			file: "services:\n  a: {extends: {file: base.yaml, service: nobody}}\n",
		},
		{
			name: "a service that extends itself", files: files, want: "error f:2: service a: extends: circular reference: a in f, a in f",
			file: "services:\n  a: {extends: a}\n",
		},
		{
			name: "a cycle", files: files, file: "services:\n  a: {extends: {file: sub/circles.yaml, service: a}}\n",
			want: "error sub/circles.yaml:2: service a: extends: circular reference: a in sub/circles.yaml, b in sub/circles.yaml",
		},
		{
			name: "a URL", files: files,
			want: "error f:2: service a: extends: \"https://example.com/x.git\": it is not a local file",
			file: "services:\n  a: {extends: {file: 'https://example.com/x.git', service: b}}\n",
		},
		{
			name: "without a Read function", want: "error f:2: service a: extends: \"base.yaml\": it is not a local file",
			file: "services:\n  a: {extends: {file: base.yaml, service: b}}\n",
		},
	})
}

func TestReadInclude(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for range 1100 {
		many.WriteString("- sub/one.yaml\n")
	}
	files := map[string]string{
		"sub/one.yaml":   "services:\n  one: {image: 'o:${TAG:-none}'}\n",
		"sub/.env":       "TAG=\"beside\"\n",
		"sub/deep.yaml":  "include: [one.yaml]\nservices:\n  deep: {image: d}\n",
		"two.yaml":       "services:\n  two: {image: 't:${TAG}'}\n",
		"two.env":        "# no\nexport TAG=given # a comment\n",
		"round.yaml":     "include: [sub/../again.yaml]\n",
		"again.yaml":     "include: [round.yaml]\nservices: {x: {image: x}}\n",
		"broken.yaml":    "services:\n\tx: {}\n",
		"sub/moved.yaml": "services:\n  moved: {extends: {file: two.yaml, service: two}}\n",
	}
	runCases(t, []readCase{
		{
			name: "a path", files: files, want: "f:3 service a: x\nsub/one.yaml:2 service one: o:beside",
			file: "include: [sub/one.yaml]\nservices:\n  a: {image: x}\n",
		},
		{
			name: "no services", files: files, want: "sub/deep.yaml:3 service deep: d\nsub/one.yaml:2 service one: o:beside",
			file: "name: x\nx-own: y\ninclude: sub/deep.yaml\n",
		},
		{
			name: "the environment takes precedence", files: files, env: map[string]string{"TAG": "set"},
			want: "sub/one.yaml:2 service one: o:set", file: "include: [sub/one.yaml]\n",
		},
		{
			name: "paths and variables", files: files,
			want: "two.yaml:2 service two: t:given\nsub/one.yaml:2 service one: o:given",
			file: "include:\n- path: [two.yaml, sub/one.yaml]\n  env_file: two.env\n",
		},
		{
			name: "another directory", files: files, want: "two.yaml:2 service moved: t:given",
			file: "include:\n- {path: sub/moved.yaml, project_directory: ., env_file: [two.env]}\n",
		},
		{
			name: "no such variables", files: files, want: "error f:2: env_file: reading \"none.env\": file does not exist",
			file: "include:\n- {path: two.yaml, env_file: none.env}\n",
		},
		{
			name: "no such file", files: files, want: "error f:2: include: reading \"none.yaml\": file does not exist",
			file: "include:\n- none.yaml\n",
		},
		{
			name: "a cycle", files: files,
			want: "error again.yaml:1: include: circular reference: again.yaml, round.yaml, again.yaml",
			file: "include: [round.yaml]\n",
		},
		{
			name: "a broken file", files: files,
			want: "error broken.yaml:2: found character that cannot start any token; a tab indents the line",
			file: "include: [broken.yaml]\n",
		},
		{
			name: "an OCI artifact", files: files,
			want: "error f:1: include: \"oci://example.com/app:v1\": it is not a local file",
			file: "include: ['oci://example.com/app:v1']\n",
		},
		{
			name: "too many", files: files, want: "error f:1002: include: more than 1000 files are named",
			file: "include:\n" + many.String(),
		},
		{
			name: "an include of a CI system", files: files, want: "! f:1: neither a Kubernetes object nor a Compose file: not checked",
			file: "include: [sub/one.yaml]\nstages: [build]\n",
		},
	})
}

// Placement constraints compare the names that Swarm nodes report.
func TestPlacement(t *testing.T) {
	t.Parallel()
	both := workload.Universe{Platforms: []v1.Platform{
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm64"},
		{OS: "windows", Architecture: "amd64"},
	}}
	for constraints, want := range map[string][2]string{
		"[node.platform.arch == x86_64]":                           {"linux/amd64", "linux/amd64 windows/amd64"},
		"['node.platform.arch==aarch64', 'node.role == manager']":  {"linux/arm64", "linux/arm64"},
		"[node.platform.arch != aarch64]":                          {"", "linux/amd64 windows/amd64"},
		"[node.platform.os == Linux, node.platform.arch == armv7]": {"linux/arm/v7", "linux/arm/v7"},
		"[node.platform.os == windows]":                            {"windows/unknown", "windows/amd64"},
		"['node.labels.disk == ${DISK:-ssd}']":                     {"", "linux/amd64 linux/arm64 windows/amd64"},
		"[]":                                                       {"", "linux/amd64 linux/arm64 windows/amd64"},
	} {
		found, err := workload.Read("f",
			[]byte("services: {a: {image: x, deploy: {placement: {constraints: "+constraints+"}}}}"), workload.Options{})
		if err != nil {
			t.Errorf("%s: %v", constraints, err)
			continue
		}
		for i, where := range []workload.Universe{{}, both} {
			var got []string
			platforms, _ := found.Uses[0].Required(where)
			for _, p := range platforms {
				got = append(got, platform.Format(p))
			}
			if all := strings.Join(got, " "); all != want[i] {
				t.Errorf("%s: got %q, want %q", constraints, all, want[i])
			}
		}
	}
	_, err := workload.Read("f",
		[]byte("services: {a: {image: x, deploy: {placement: {constraints: [node.platform.arch = arm64]}}}}"),
		workload.Options{})
	if !errors.Is(err, workload.ErrFile) || !strings.Contains(err.Error(), "is not a constraint") {
		t.Errorf("got %v", err)
	}
}

// Small files can't keep compose-go busy for long: repeated, copied and doubled values are counted first.
func TestComposeBounds(t *testing.T) {
	t.Parallel()
	lines := func(n int, line func(int) string) string {
		var all strings.Builder
		for i := range n {
			all.WriteString(line(i))
		}
		return all.String()
	}
	chain := map[string]string{}
	for i := range 300 {
		chain[fmt.Sprintf("f%d", i)] = fmt.Sprintf("services: {s: {extends: {file: f%d, service: s}, tmpfs: [/a%d]}}\n", i+1,
			i)
	}
	shared := map[string]string{"common": "services: {s: {image: x, command: [" + strings.Repeat("a, ", 50) + "a]}}\n"}
	all := ""
	for i := range 40 {
		name := fmt.Sprintf("i%d", i)
		shared[name] = fmt.Sprintf("services: {a%d: {extends: {file: common, service: s}}, b%d: {extends: a%d}}\n", i, i, i)
		all += name + ", "
	}
	double := map[string]string{".env": "A=xxxxxxxx\n" + strings.Repeat("A=$A$A\n", 30)}
	aliases := "x-a: &a [" + strings.Repeat("x, ", 200) + "x]\nx-b: &b [" + strings.Repeat("*a, ", 200) + "x]\n"
	runCases(t, []readCase{
		{
			name: "aliases in a command", file: aliases + "services:\n  a: {image: x, command: *b}\n",
			want: "error f:1: it has more than 20000 values, including those repeated by aliases",
		},
		{name: "aliases elsewhere", file: aliases + "services: {a: {image: x, labels: *b}}", want: "f:3 service a: x"},
		{
			name: "services that extend each other",
			want: "error f: it is too large: 299 services extend others, of up to 6 values",
			file: "services:\n  s0: {image: x}\n" +
				lines(299, func(i int) string { return fmt.Sprintf("  s%d: {extends: s%d, tmpfs: [/a]}\n", i+1, i) }),
		},
		{
			name: "services that extend a large one",
			want: "error f: it is too large: 160 services extend others, of up to 1002 values",
			file: "services:\n  s: {image: x, command: [" + strings.Repeat("a, ", 996) + "a]}\n" +
				lines(160, func(i int) string { return fmt.Sprintf("  s%d: {extends: s}\n", i) }),
		},
		{
			name: "files that extend each other", files: chain,
			file: "include: [" + lines(200, func(i int) string { return fmt.Sprintf("f%d, ", i+90) }) + "f0]\n",
			want: "error f175:1: service s: extends: it is too large: 87 services extend others",
		},
		{
			name: "files that extend one file", files: shared, file: "include: [" + all + "]\nservices: {a: {image: y}}\n",
			want: "f:2 service a: y" + lines(40, func(i int) string {
				return fmt.Sprintf("\ncommon:1 service a%d: x", i) + fmt.Sprintf("\ncommon:1 service b%d: x", i)
			}),
		},
		{
			name: "a large value, many times", env: map[string]string{"A": strings.Repeat("x", 100_000)},
			file: "services: {a: {image: '" + strings.Repeat("$A", 200) + "'}}", want: "error f:1: service a: \"$A$A$A",
		},
		{
			name: "values that double", files: double, file: "services: {a: {image: $A}}",
			want: "error f:1: service a: \"$A\": the file has too many",
		},
		{
			name: "values that double, but are not used", files: double, file: "services: {a: {image: x}}",
			want: "f:1 service a: x",
		},
		{
			name: "variables in variables",
			file: "services: {a: {image: '" + strings.Repeat("${A:-", 1000) + strings.Repeat("}", 1000) + "'}}",
			want: "error f:1: service a: \"${A:-${A:-",
		},
		{
			name: "a long script", want: "f:1 service a: x",
			file: "services: {a: {image: x, command: [sh, -c, '" + strings.Repeat("echo $$X; ", 2000) + "']}}",
		},
		{
			name: "a noncharacter", file: "services: {a: {image: \"x\\ufdd00\\ufdd0\"}}",
			want: "error f:1: \"x\\ufdd00\\ufdd0\" contains a noncharacter",
		},
		{
			name: "a noncharacter in a variable", env: map[string]string{"A": "\ufdd00\ufdd0"}, file: "services: {a: {image: $A}}",
			want: "error f:1: service a: \"$A\": a variable contains a noncharacter",
		},
	})
}
