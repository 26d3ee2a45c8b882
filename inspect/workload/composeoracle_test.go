package workload_test

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"mtool/inspect/workload"
)

// composeProjects returns projects of one or more files. a.yaml is the first; b.yaml and c.yaml override it.
func composeProjects() map[string]map[string]string {
	return map[string]map[string]string{
		"override": {
			"a.yaml": "services: {x: {image: a}, y: {image: y}}",
			"b.yaml": "services: {x: {image: b}, z: {image: z}}",
		},
		"three": {
			"a.yaml": "services: {x: {image: a, platform: linux/amd64}}",
			"b.yaml": "services: {x: {image: b}}", "c.yaml": "services: {x: {platform: linux/arm64}}",
		},
		"reset of an image": {
			"a.yaml": "services: {x: {image: a, build: .}}",
			"b.yaml": "services: {x: {image: !reset null}}",
		},
		"reset of a service": {
			"a.yaml": "services: {x: {image: a}, y: {image: y}}",
			"b.yaml": "services: {x: !reset null}",
		},
		"override of a service": {
			"a.yaml": "services: {x: {image: a, platform: linux/amd64}}",
			"b.yaml": "services: {x: !override {image: b}}",
		},
		"override of all": {
			"a.yaml": "services: {x: {image: a}, y: {image: y}}",
			"b.yaml": "services: !override {z: {image: z}}",
		},
		"reset in one file": {"a.yaml": "services: {x: {image: !reset null, build: .}}"},
		"null":              {"a.yaml": "services: {x: {image: a}}", "b.yaml": "services: {x: {image: null}}"},
		"extends":           {"a.yaml": "services: {x: {extends: y}, y: {image: y, platform: linux/arm64}}"},
		"extends, overridden": {
			"a.yaml": "services: {x: {extends: {service: y}, image: own}, y: {image: y, platform: linux/arm64}}",
		},
		"extends a file": {
			"a.yaml":     "services: {x: {extends: {file: sub/d.yaml, service: y}}}",
			"sub/d.yaml": "services: {y: {image: y, extends: {file: e.yaml, service: z}}}",
			"sub/e.yaml": "services: {z: {image: z, platform: linux/arm64}}",
		},
		"extends in the second": {
			"a.yaml": "services: {x: {image: a}, y: {image: y}}",
			"b.yaml": "services: {x: {extends: z}, z: {image: z, platform: linux/arm64}}",
		},
		"reset over extends": {"a.yaml": "services: {x: {extends: y, image: !reset null, build: .}, y: {image: y}}"},
		"include": {
			"a.yaml":     "include: [sub/d.yaml]\nservices: {x: {image: a}}",
			"sub/d.yaml": "services: {y: {image: 'y:${TAG}'}}", "sub/.env": "TAG=in",
		},
		"include that is overridden": {
			"a.yaml": "include: [{path: [d.yaml, e.yaml]}]\nservices: {x: {image: a}}",
			"d.yaml": "services: {y: {image: y}, z: {image: z}}", "e.yaml": "services: {y: {image: e}}",
		},
		"include of a service of the same name": {
			"a.yaml": "include: [d.yaml]\nservices: {x: {platform: linux/arm64}}",
			"d.yaml": "services: {x: {image: d}}",
		},
		"extends an included service": {
			"a.yaml": "include: [d.yaml]\nservices: {x: {extends: y, platform: linux/arm64}}",
			"d.yaml": "services: {y: {image: d}}",
		},
		"include in the second": {
			"a.yaml": "services: {x: {image: a}}",
			"b.yaml": "include: [d.yaml]\nservices: {x: {platform: linux/arm64}}", "d.yaml": "services: {y: {image: d}}",
		},
		"variables": {
			"a.yaml": "services: {x: {image: 'a:${TAG:-v1}'}, y: {image: '${NO-y}${TAG:+t}'}, z: {image: 'z:$TAG$$'}}",
			".env":   "TAG=v2",
		},
		"merge keys": {
			"a.yaml": "x-base: &b {image: b, platform: linux/arm64}\nservices: {x: {<<: *b}, y: {<<: *b, image: y}, z: {image: z, <<: *b}}",
		},
		"image volumes": {
			"a.yaml": "services: {x: {image: a, volumes: [{type: image, source: v, target: /v}, {type: image, source: w, target: /w}]}}", "b.yaml": "services: {x: {volumes: [{type: image, source: n, target: /v}]}}",
		},
		"override of volumes": {
			"a.yaml": "services: {x: {image: a, volumes: [{type: image, source: v, target: /v}]}}",
			"b.yaml": "services: {x: {volumes: !override [{type: image, source: n, target: /n}]}}",
		},
		"contexts": {
			"a.yaml": "services: {x: {image: a, build: {context: ., additional_contexts: {base: 'docker-image://c'}}}}",
			"b.yaml": "services: {x: {build: {additional_contexts: ['more=docker-image://d']}}}",
		},
		"profiles":       {"a.yaml": "services: {x: {image: a, profiles: [debug]}, y: {image: y}}"},
		"a project name": {"a.yaml": "name: Shop_1\nservices: {x: {image: '${COMPOSE_PROJECT_NAME}/x'}}"},
		"a name from .env": {
			"a.yaml": "name: shop\nservices: {x: {image: '${COMPOSE_PROJECT_NAME}/x'}}",
			".env":   "COMPOSE_PROJECT_NAME=other",
		},
		"quotes in .env": {
			"a.yaml": "services: {x: {image: 'x:$A.$B.$C.$D.$E.$F'}}",
			".env":   "A=a\nB=\"$A b\" # no\nC='$A' # no\nexport D=${NO:-d}$$ # no\n# no\nE: e\nF=\"1\n2\\n\\$3\"\n",
		},
		"defaults in defaults": {
			"a.yaml": "services: {x: {image: '${NO:-${NO-${A}}-${A+${B:-b}}}:${A:?x}${NO:+no}$$A'}}",
			".env":   "A=a\nB=\n",
		},
		"variables of includes": {
			"a.yaml": "include: [{path: d/a.yaml, env_file: [v1, v2]}, {path: e/a.yaml, project_directory: d}]\nservices: {x: {image: 'x:$A$B'}}", ".env": "A=root\nB=b\n", "v1": "A=v1\nC=v1\nD=$B", "v2": "C=v2\nE=$C", "d/a.yaml": "services: {y: {image: '$A$B$C$D$E'}}", "d/.env": "F=d", "e/a.yaml": "services: {z: {image: '$F'}}", "e/.env": "F=e",
		},
		"include in include": {
			"a.yaml":     "include: [d/a.yaml]",
			"d/a.yaml":   "include: [{path: [e/a.yaml, b.yaml]}]\nservices: {x: {image: x}}",
			"d/e/a.yaml": "services: {y: {image: y, extends: {file: ../f/a.yaml, service: z}}}",
			"d/b.yaml":   "services: {y: {platform: linux/arm64}}",
			"d/f/a.yaml": "services: {z: {platform: linux/amd64, volumes: [{type: image, source: v, target: /v}]}}",
		},
		"included twice from one directory": {
			"a.yaml": "include: [d/a.yaml, d/b.yaml]", "d/a.yaml": "include: [c.yaml]",
			"d/b.yaml": "include: [c.yaml]",
			"d/c.yaml": "services: {x: {image: x, volumes: [{type: image, source: v, target: /v}]}}",
		},
		"extends its own file": {"a.yaml": "services: {x: {extends: {file: a.yaml, service: y}}, y: {image: y}}"},
		"override of a string": {
			"a.yaml": "services: {x: {image: a, build: {context: ., platforms: [linux/amd64]}}}",
			"b.yaml": "services: {x: {image: !override b, build: !override {context: ., platforms: [linux/arm64]}}}",
		},
		"merge keys of merge keys": {
			"a.yaml": "x-a: &a {image: a}\nx-b: &b {<<: *a, platform: linux/arm64}\nx-c: &c {image: c, build: .}\nservices: {x: {<<: [*b, *c]}, y: {<<: *c, extends: x}}",
		},
		"contexts of both kinds": {
			"a.yaml": "services: {x: {image: a, build: {context: ., additional_contexts: {base: 'docker-image://c', dir: ./x}}}}", "b.yaml": "services: {x: {build: {additional_contexts: ['base=docker-image://d']}}}",
		},
		"command and entrypoint": {
			"a.yaml": "services: {x: {image: a, command: a b, entrypoint: [e], working_dir: /a}}",
			"b.yaml": "services: {x: {command: ['${NO:-b}', '$$c'], entrypoint: !reset null}}",
		},
		"two documents": {"a.yaml": "services: {x: {image: a}}\n---\nservices: {x: {image: b}, y: {image: y}}"},
	}
}

// Read finds the same images as compose-go, the library of docker compose.
func TestComposeOracle(t *testing.T) {
	t.Parallel()
	for name, files := range composeProjects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for path, text := range files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var order []string
			for _, one := range []string{"a.yaml", "b.yaml", "c.yaml"} {
				if files[one] != "" {
					order = append(order, one)
				}
			}
			if got, want := oursOf(t, files, order), theirsOf(t, dir, files, order); got != want {
				t.Errorf("got\n%s\nwant, as compose-go\n%s", got, want)
			}
		})
	}
}

func oursOf(t *testing.T, files map[string]string, order []string) string {
	t.Helper()
	o := workload.Options{Read: func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}}
	for _, name := range order[1:] {
		o.Over = append(o.Over, workload.File{Name: name, Data: []byte(files[name])})
	}
	found, err := workload.Read(order[0], []byte(files[order[0]]), o)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, u := range found.Uses {
		line := u.What + ": " + u.Image
		if u.Platform.OS != "" {
			line += " " + u.Platform.String()
		}
		if len(u.Process.Entrypoint)+len(u.Process.Cmd) > 0 {
			line += fmt.Sprintf(" %q %q", u.Process.Entrypoint, u.Process.Cmd)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func theirsOf(t *testing.T, dir string, files map[string]string, order []string) string {
	t.Helper()
	details := types.ConfigDetails{WorkingDir: dir, Environment: types.Mapping{}}
	if files[".env"] != "" {
		set, err := dotenv.GetEnvFromFile(nil, []string{filepath.Join(dir, ".env")})
		if err != nil {
			t.Fatal(err)
		}
		details.Environment = set
	}
	for _, name := range order {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(dir, name)})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		name := details.Environment["COMPOSE_PROJECT_NAME"]
		o.SetProjectName(cmp.Or(name, "x"), name != "")
		o.Profiles = []string{"*"}
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, s := range project.AllServices() {
		if s.Image != "" {
			line := strings.TrimSpace(fmt.Sprintf("service %s: %s %s", name, s.Image, s.Platform))
			if len(s.Entrypoint)+len(s.Command) > 0 {
				line += fmt.Sprintf(" %q %q", s.Entrypoint, s.Command)
			}
			lines = append(lines, line)
		}
		for _, v := range s.Volumes {
			if v.Type == "image" {
				lines = append(lines, fmt.Sprintf("service %s, volume %s: %s", name, v.Target, v.Source))
			}
		}
		if s.Build == nil {
			continue
		}
		for _, context := range slices.Sorted(maps.Values(s.Build.AdditionalContexts)) {
			if image, ok := strings.CutPrefix(context, "docker-image://"); ok {
				lines = append(lines, fmt.Sprintf("service %s, build context: %s", name, image))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
